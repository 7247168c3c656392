//! Every row of the reference tools' answers: order, equality and refusal.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a test states what must hold"
)]

use flate2::read::GzDecoder;
use lotse_sbom::{ApkGeneration, Ecosystem, RangeError, VersionError};
use std::cmp::Ordering;
use std::io::Read;

fn rows(name: &str) -> Vec<Vec<String>> {
    let path = format!("{}/tests/data/versions/{name}.tsv.gz", env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(|line| line.split('\t').map(unescape).collect()).collect()
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                other => other.unwrap_or('\\'),
            },
            (c, false) => c,
        });
    }
    out
}

fn word(result: Result<Option<Ordering>, VersionError>) -> String {
    match result {
        Ok(Some(order)) => (order as i8).to_string(),
        Ok(None) => "none".to_owned(),
        Err(_) => "error".to_owned(),
    }
}

/// Asserts one column of a file; the message lists the first differences.
fn agree(name: &str, column: usize, answer: impl Fn(&[String]) -> String) {
    let rows = rows(name);
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let (got, want) = (answer(row), &row[column]);
            (got != *want).then(|| format!("{row:?}: got {got}"))
        })
        .collect();
    println!("{name} column {column}: {} of {} agree", rows.len() - wrong.len(), rows.len());
    assert!(
        wrong.is_empty(),
        "{name} column {column}: {} of {} differ\n{}",
        wrong.len(),
        rows.len(),
        wrong[..wrong.len().min(40)].join("\n")
    );
}

#[test]
fn npm_strict_loose_and_with_build() {
    agree("npm", 2, |r| word(Ecosystem::Npm.compare(&r[0], &r[1])));
    agree("npm", 3, |r| word(lotse_sbom::compare_npm_loose(&r[0], &r[1]).map(Some)));
    agree("npm", 4, |r| word(lotse_sbom::compare_npm_build(&r[0], &r[1]).map(Some)));
}

#[test]
fn packagist_order() {
    agree("composer", 2, |r| word(Ecosystem::Packagist.compare(&r[0], &r[1])));
}

#[test]
fn composer_normal_form_and_stability() {
    agree("composer-normalize", 1, |r| {
        lotse_sbom::normalise_composer(&r[0]).unwrap_or_else(|_| "error".to_owned())
    });
    agree("composer-normalize", 2, |r| lotse_sbom::composer_stability(&r[0]).to_owned());
}

#[test]
fn cargo_total_order_and_precedence() {
    agree("cargo", 2, |r| word(lotse_sbom::compare_cargo_total(&r[0], &r[1]).map(Some)));
    agree("cargo", 3, |r| word(Ecosystem::CratesIo.compare(&r[0], &r[1])));
}

#[test]
fn debian_order() {
    agree("dpkg", 2, |r| word(Ecosystem::Debian(None).compare(&r[0], &r[1])));
}

#[test]
fn alpine_order_and_validity_in_both_generations() {
    let order = |a: &str, b: &str, g| (lotse_sbom::compare_apk(a, b, g) as i8).to_string();
    let validity =
        |a: &str, b: &str, g| [a, b].map(|v| if lotse_sbom::is_valid_apk(v, g) { "v" } else { "i" }).concat();
    agree("apk", 2, |r| order(&r[0], &r[1], ApkGeneration::V3));
    agree("apk", 3, |r| validity(&r[0], &r[1], ApkGeneration::V3));
    agree("apk", 4, |r| order(&r[0], &r[1], ApkGeneration::V2));
    agree("apk", 5, |r| validity(&r[0], &r[1], ApkGeneration::V2));
}

#[test]
fn conditions_of_npm_cargo_and_dpkg() {
    agree("npm-ranges", 2, |r| match lotse_sbom::matches_npm(&r[0], &r[1]) {
        Ok(answer) => answer.to_string(),
        Err(RangeError::Range(_)) => "invalid-range".to_owned(),
        Err(_) => "invalid-version".to_owned(),
    });
    agree("cargo-ranges", 2, |r| match lotse_sbom::matches_cargo(&r[0], &r[1]) {
        Ok(answer) => answer.to_string(),
        Err(RangeError::Range(_)) => "invalid-range".to_owned(),
        Err(_) => "invalid-version".to_owned(),
    });
    agree("dpkg-ranges", 2, |r| {
        lotse_sbom::matches_debian(&r[0], &r[1]).map_or("error".to_owned(), |a| a.to_string())
    });
}
