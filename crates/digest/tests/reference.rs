//! Image references: the grammar of the distribution specification.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_digest::{Digest, Reference};

#[test]
fn references_parse_into_their_parts_and_print_back() {
    let digest = Digest::sha256(b"");
    let pinned = format!("nginx:1.29@{digest}");
    for (text, host, name, tag, has_digest) in [
        ("nginx", None, "nginx", None, false),
        ("library/nginx:1", None, "library/nginx", Some("1"), false),
        ("localhost/a", Some("localhost"), "a", None, false),
        ("localhost:5000/a/b:v1.0_x-y", Some("localhost:5000"), "a/b", Some("v1.0_x-y"), false),
        ("registry.example/a__b/c--d.e_f", Some("registry.example"), "a__b/c--d.e_f", None, false),
        (&pinned, None, "nginx", Some("1.29"), true),
    ] {
        let reference: Reference = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let parts = (reference.host(), reference.name(), reference.tag(), reference.digest().is_some());
        assert_eq!(parts, (host, name, tag, has_digest), "{text}");
        assert_eq!(reference.to_string(), text);
    }
}

#[test]
fn what_is_no_reference_is_refused() {
    for text in [
        "",
        ":tag",
        "Nginx",
        "a//b",
        "/a",
        "a/",
        "a_",
        "a..b",
        "a___b",
        "-a",
        "a.-b",
        "a:",
        "a:.x",
        "a:-x",
        "a b",
        "a@sha256:00",
        "a@",
        "host.example:x/a",
        "host.example:70000/a",
        "a..b.example/c:1/d",
        "ä",
        "https://host.example/a",
        "a:b:c",
    ] {
        assert!(text.parse::<Reference>().is_err(), "{text:?}");
    }
    assert!(format!("a:{}", "t".repeat(128)).parse::<Reference>().is_ok());
    assert!(format!("a:{}", "t".repeat(129)).parse::<Reference>().is_err());
    assert!("a".repeat(255).parse::<Reference>().is_ok());
    assert!("a".repeat(256).parse::<Reference>().is_err());
}

#[test]
fn pinning_keeps_the_tag_and_a_new_tag_drops_the_digest() {
    let digest = Digest::sha256(b"");
    let reference: Reference = "registry.example/app:1.2".parse().unwrap();
    let pinned = reference.pinned(digest.clone());
    assert_eq!(pinned.to_string(), format!("registry.example/app:1.2@{digest}"));
    assert_eq!(pinned.with_tag("1.3").unwrap().to_string(), "registry.example/app:1.3");
    assert!(pinned.with_tag("no tag").is_err());
    assert_eq!(pinned.repository(), "registry.example/app");
}
