//! The documents of `lotse-sbom`, judged by the validators of their communities.
//!
//! Peers: `pyspdxtools` (PyPI spdx-tools 0.8.5) and a `python3` that can import cyclonedx
//! (PyPI cyclonedx-python-lib[validation] 11.12.0), both in one virtual environment whose `bin` is in LOTSE_PEERS.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test states what must hold"
)]

use lotse_sbom::{DocumentInfo, Inventory, Limits, Subject, Timestamp, catalogue, cyclonedx, spdx};
use lotse_tests::peer;
use std::path::Path;
use std::process::Command;

/// One tree with every reader's kind of component, odd licences, duplicates and gaps.
fn everything() -> Inventory {
    let files: Vec<(&str, String)> = vec![
        ("etc/os-release", "ID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME=\"Alpine Linux v3.20\"\n".to_owned()),
        ("lib/apk/db/installed", "C:Q1T/3pLZt8JyCOsuR7GqQNvAJLkGc=\nP:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\np:so:libc.musl-x86_64.so.1=1\n\nP:odd\nV:2.0_rc1_p2-r3\nA:x86_64\nL:MIT AND (GPL-2.0-or-later OR custom:foo)\no:multi\nD:so:libc.musl-x86_64.so.1 gone\n".to_owned()),
        ("var/lib/dpkg/status", "Package: libssl3\nStatus: install ok installed\nSource: openssl (3.0.15-1)\nVersion: 1:3.0.15-1+b1\nArchitecture: amd64\nDepends: libc6 (>= 2.34)\n".to_owned()),
        ("app/composer.json", r#"{"name": "acme/shop", "license": "proprietary", "require": {"acme/a": "*"}}"#.to_owned()),
        ("app/composer.lock", r#"{"packages": [{"name": "acme/a", "version": "dev-feature/x", "license": ["MIT", "GPL-2.0-only"]}, {"name": "acme/A.b_c", "version": "v1 ü", "license": ["BSD"]}]}"#.to_owned()),
        ("web/package-lock.json", r#"{"name": "web", "lockfileVersion": 3, "packages": {"": {"name": "web", "dependencies": {"@s/b": "2"}}, "node_modules/@s/b": {"version": "2.0.0", "license": "(MIT OR Apache-2.0)", "integrity": "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="}}}"#.to_owned()),
        ("Cargo.lock", std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock")).unwrap()),
        ("yarn.lock", String::new()),
    ];
    catalogue(files, Limits::for_images()).unwrap()
}

fn info(digest: bool) -> DocumentInfo {
    let subject = Subject {
        name: "registry.example.org/acme/shop".to_owned(),
        version: digest.then(|| "1.2.3".to_owned()),
        digest: digest.then(|| lotse_digest::Digest::sha256(b"manifest")),
        purl: digest.then(|| {
            "pkg:oci/shop@sha256:5891b5b5?repository_url=registry.example.org/acme".parse().unwrap()
        }),
    };
    DocumentInfo {
        subject,
        created: Timestamp::from_unix(1_763_683_200).unwrap(),
        author: "Acme GmbH".to_owned(),
    }
}

fn documents(write: fn(&Inventory, &DocumentInfo) -> String) -> Vec<String> {
    let empty = catalogue(Vec::<(&str, &[u8])>::new(), Limits::for_images()).unwrap();
    vec![write(&everything(), &info(true)), write(&everything(), &info(false)), write(&empty, &info(true))]
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn pyspdxtools_accepts_our_spdx() {
    let Some(tool) = peer("pyspdxtools") else { return };
    let folder = tempfile::tempdir().unwrap();
    for (i, document) in documents(spdx).iter().enumerate() {
        let path = folder.path().join(format!("{i}.spdx.json"));
        std::fs::write(&path, document).unwrap();
        run(Command::new(&tool).arg("-i").arg(&path));
    }
}

#[test]
fn the_strict_validator_of_cyclonedx_accepts_ours() {
    // The virtual environment's python stands beside pyspdxtools.
    let Some(tool) = peer("pyspdxtools") else { return };
    let python = tool.with_file_name("python3");
    let folder = tempfile::tempdir().unwrap();
    let script = "import sys\nfrom cyclonedx.validation.json import JsonStrictValidator\nfrom cyclonedx.schema import SchemaVersion\nv = JsonStrictValidator(SchemaVersion.V1_6)\nfor p in sys.argv[1:]:\n    e = v.validate_str(open(p, encoding='utf-8').read())\n    if e: sys.exit(p + ': ' + str(e)[:2000])\n";
    let mut command = Command::new(python);
    command.arg("-c").arg(script);
    for (i, document) in documents(cyclonedx).iter().enumerate() {
        let path = folder.path().join(format!("{i}.cdx.json"));
        std::fs::write(&path, document).unwrap();
        command.arg(path);
    }
    run(&mut command);
}
