//! The law map: every point is one of its act's, and nothing is promised.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test states what must hold")]

use lotse_release::{ACTS, SUPPORTS, support};

/// The points that exist, by act: what the texts number. CRA: annex I part I point 2 (a) to (m), part II points 1 to 8, annex VII;
/// NIS-2: article 21(2) (a) to (j); DORA: 5 to 30; GDPR and Data Act: the articles that are cited.
fn exists(act: &str, point: &str) -> bool {
    let letter = |text: &str, last: char| {
        let mut characters = text.chars();
        matches!((characters.next(), characters.next(), characters.next(), characters.next()), (Some('('), Some(letter), Some(')'), None) if ('a'..=last).contains(&letter))
    };
    let number = |text: &str, last: u32| {
        text.strip_prefix('(')
            .and_then(|text| text.strip_suffix(')'))
            .and_then(|text| text.parse::<u32>().ok())
            .is_some_and(|number| (1..=last).contains(&number))
    };
    match act {
        "cra" => {
            point.strip_prefix("Annex I(I)(2)").is_some_and(|rest| letter(rest, 'm'))
                || point.strip_prefix("Annex I(II)").is_some_and(|rest| number(rest, 8))
                || point == "Annex VII(2)(c)"
        }
        "nis2" => point.strip_prefix("21(2)").is_some_and(|rest| letter(rest, 'j')),
        "dora" => {
            ["9(3)", "9(4)(b)", "9(4)(c)", "9(4)(d)", "9(4)(e)", "10", "11", "12", "24", "25(1)", "30(3)(a)"]
                .contains(&point)
        }
        "gdpr" => ["5(1)(f)", "5(2)", "25(1)", "30(1)(g)", "32(1)(b)", "32(1)(c)", "32(1)(d)", "33"]
            .contains(&point),
        "data-act" => point == "30(5)",
        _ => false,
    }
}

#[test]
fn every_point_is_one_of_its_acts() {
    for entry in SUPPORTS {
        assert!(ACTS.iter().any(|act| act.id == entry.act), "{entry:?}");
        assert!(!entry.points.is_empty() && !entry.reason.is_empty(), "{entry:?}");
        for point in entry.points {
            assert!(exists(entry.act, point), "{} {point}", entry.act);
        }
    }
    assert!(!exists("cra", "Annex I(I)(2)(z)") && !exists("nis2", "21(3)(a)"), "the list can say no");
}

#[test]
fn every_requirement_supports_something_and_says_it_once() {
    for number in 1..=19 {
        let id = format!("R{number}");
        assert!(support(&id, "cra").is_some(), "{id}");
        for act in ACTS {
            let entries =
                SUPPORTS.iter().filter(|entry| entry.requirement == id && entry.act == act.id).count();
            assert!(entries <= 1, "{id} {}", act.id);
        }
    }
}

#[test]
fn nothing_is_promised() {
    for entry in SUPPORTS {
        for word in ["fulfil", "compli", "certif", "guarantee"] {
            assert!(!entry.reason.contains(word), "{entry:?}");
        }
    }
}
