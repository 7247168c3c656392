//! To the types of other crates and back: the same inventory, or an error that names what is lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_sbom::{
    ConvertError, DocumentInfo, Inventory, Limits, Subject, Timestamp, catalogue, from_cyclonedx_bom,
    from_spdx_rs, to_cyclonedx_bom, to_spdx_rs,
};

fn inventory() -> Inventory {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).unwrap();
    let files = [
        ("etc/os-release", "ID=alpine\nVERSION_ID=3.20.3\n"),
        (
            "lib/apk/db/installed",
            "P:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\n\nP:odd\nV:2.0-r3\nA:x86_64\nL:MIT AND custom:foo\no:multi\nD:musl gone\n",
        ),
        (
            "composer.lock",
            r#"{"packages": [{"name": "acme/a", "version": "1", "license": ["MIT", "GPL-2.0-only"], "require": {"acme/b": "1"}}], "packages-dev": [{"name": "acme/b", "version": "dev-x", "license": ["BSD"]}]}"#,
        ),
        ("Cargo.lock", &lock),
        ("yarn.lock", ""),
    ];
    catalogue(files, Limits::for_images()).unwrap()
}

fn info() -> DocumentInfo {
    let digest = Some(lotse_digest::Digest::sha256(b"x"));
    let subject = Subject { name: "shop".to_owned(), version: Some("1".to_owned()), digest, purl: None };
    DocumentInfo { subject, created: Timestamp::from_unix(1_763_683_200).unwrap(), author: "Acme".to_owned() }
}

#[test]
fn cyclonedx_bom_there_and_back() {
    let bom = to_cyclonedx_bom(&inventory(), &info()).unwrap();
    assert!(bom.components.is_some());
    let (content, frame) = from_cyclonedx_bom(&bom).unwrap();
    assert_eq!(content, inventory());
    assert_eq!(frame, info());
}

#[test]
fn what_an_inventory_has_no_place_for_is_named() {
    let mut bom = to_cyclonedx_bom(&inventory(), &info()).unwrap();
    bom.components.as_mut().unwrap().0[0].publisher =
        Some(cyclonedx_bom::prelude::NormalizedString::new("Acme Press"));
    let Err(ConvertError::CannotHold(lost)) = from_cyclonedx_bom(&bom) else {
        panic!("it was dropped in silence")
    };
    assert_eq!(lost, ["/components/publisher = Acme Press"]);
}

#[test]
fn spdx_rs_there_and_back() {
    let document = to_spdx_rs(&inventory(), &info()).unwrap();
    let (content, frame) = from_spdx_rs(&document).unwrap();
    assert_eq!(content, inventory());
    assert_eq!(frame, info());
    let mut changed = document.clone();
    changed.package_information[1].package_supplier = Some("Organization: X".to_owned());
    let error = from_spdx_rs(&changed).unwrap_err().to_string();
    assert!(error.contains("/packages/supplier = Organization: X"), "{error}");
}
