//! The documents we write: the same bytes for the same content, and nothing lost in silence.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_sbom::{DocumentInfo, Inventory, Limits, Subject, catalogue, cyclonedx, spdx};

fn inventory(version: &str) -> Inventory {
    let lock = format!(
        r#"{{"packages": [{{"name": "acme/a", "version": "{version}", "license": ["proprietary"], "require": {{"acme/b": "*"}}}},
        {{"name": "acme/b", "version": "1", "license": ["MIT", "GPL-2.0-only"]}}]}}"#
    );
    catalogue([("composer.lock", lock.as_str()), ("yarn.lock", "")], Limits::for_images()).unwrap()
}

fn info(name: &str, seconds: i64) -> DocumentInfo {
    let subject = Subject {
        name: name.to_owned(),
        version: Some("1.0".to_owned()),
        digest: Some(lotse_digest::Digest::sha256(b"x")),
        purl: None,
    };
    DocumentInfo {
        subject,
        created: lotse_sbom::Timestamp::from_unix(seconds).unwrap(),
        author: "Acme".to_owned(),
    }
}

#[test]
fn identity_follows_content() {
    for write in [cyclonedx, spdx] {
        let one = write(&inventory("1"), &info("shop", 0));
        assert_eq!(one, write(&inventory("1"), &info("shop", 0)));
        for other in [
            write(&inventory("2"), &info("shop", 0)),
            write(&inventory("1"), &info("shop", 1)),
            write(&inventory("1"), &info("mall", 0)),
        ] {
            let id = |text: &str| {
                let line =
                    text.lines().find(|l| l.contains("serialNumber") || l.contains("documentNamespace"));
                line.unwrap().to_owned()
            };
            assert_ne!(id(&one), id(&other));
        }
    }
}

#[test]
fn every_component_gap_and_licence_is_in_both() {
    for write in [cyclonedx, spdx] {
        let text = write(&inventory("1"), &info("shop", 0));
        for needle in [
            "pkg:composer/acme/a@1",
            "pkg:composer/acme/b@1",
            "yarn.lock: not read: Yarn lock files are not read yet",
            "proprietary",
            "MIT OR GPL-2.0-only",
            "lotse:location",
            "1970-01-01T00:00:00Z",
        ] {
            assert!(text.contains(needle), "{needle} in {text}");
        }
    }
}

#[test]
fn control_characters_are_escaped() {
    let text = cyclonedx(&inventory("1"), &info("a\"\\\u{1}\n", 0));
    assert!(text.contains(r#""a\"\\\u0001\n""#), "{text}");
}
