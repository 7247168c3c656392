//! What is found in trees, beside what syft 1.52.0 finds in the same trees.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_sbom::{Catalogue, Ecosystem, Error, Inventory, Limits, Origin, Purl, Scope, catalogue};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;

/// A tree kept as one text: `@@@@ path` before each file, one line feed more after it.
fn files(tree: &str) -> Vec<(String, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/catalog/{tree}.tree"));
    let text = std::fs::read_to_string(path).unwrap();
    let parts = text.split("@@@@ ").skip(1).map(|part| part.split_once('\n').unwrap());
    parts
        .map(|(path, text)| (path.to_owned(), text.strip_suffix('\n').unwrap().as_bytes().to_vec()))
        .collect()
}

fn read(files: &[(&str, &str)]) -> Result<Inventory, Error> {
    catalogue(files.iter().copied(), Limits::for_images())
}

/// name, version and purl of syft's packages, both of its modes.
fn syft(tree: &str) -> BTreeSet<(String, String, String)> {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/catalog/syft.tsv"))
            .unwrap();
    let rows = text.lines().map(|l| l.split('\t').collect::<Vec<_>>());
    rows.filter(|r| r[0] == tree).map(|r| (r[2].to_owned(), r[3].to_owned(), r[4].to_owned())).collect()
}

fn purls(inventory: &Inventory) -> BTreeSet<Purl> {
    inventory.components().iter().filter_map(|c| c.purl.clone()).collect()
}

#[test]
fn the_trees_agree_with_syft_but_for_named_differences() {
    // Tree; what syft lists and we do not; what we list and syft does not.
    let table: [(&str, &[&str], &[&str]); 4] = [
        ("apk-db", &["virtual-.build-deps"], &[]),
        ("composer-installed", &[], &["app"]),
        ("dpkg-distroless", &[], &[]),
        ("npm-v1", &[], &["is-number", "is-odd"]),
    ];
    for (tree, theirs_only, ours_only) in table {
        let inventory = catalogue(files(tree), Limits::for_images()).unwrap();
        let ours = purls(&inventory);
        let theirs: BTreeSet<Purl> = syft(tree).iter().map(|(_, _, purl)| purl.parse().unwrap()).collect();
        let missing: Vec<&str> = theirs.difference(&ours).map(Purl::name).collect();
        let more: Vec<&str> = ours.difference(&theirs).map(Purl::name).collect();
        assert_eq!((missing.as_slice(), more.as_slice()), (theirs_only, ours_only), "{tree}");
    }
}

#[test]
fn a_broken_tree_is_refused_file_by_file() {
    let error = catalogue(files("edge-broken"), Limits::for_images()).unwrap_err();
    let Error::Files(errors) = error else { panic!("{error}") };
    let mut said: Vec<String> = errors.iter().map(ToString::to_string).collect();
    said.sort();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].starts_with("Cargo.lock:1:1: neither a table"), "{said:?}");
    assert!(said[1].starts_with("composer.lock:1:14: packages must be a list"), "{said:?}");
    assert!(said[2].starts_with("package-lock.json:1:69: expected"), "{said:?}");
}

#[test]
fn a_broken_dpkg_database_gives_what_is_readable_and_names_the_rest() {
    let mut rest = Catalogue::new(Limits::for_images());
    for (path, bytes) in files("edge-broken") {
        let _ = rest.add(&path, &bytes);
    }
    let inventory = rest.finish();
    let names: Vec<&str> = inventory.components().iter().map(|c| c.id.as_str()).collect();
    assert_eq!(names, ["deb:a@1.0", "deb:last@2.0"]);
    let lines: Vec<u32> = inventory.problems().iter().map(|p| p.line).collect();
    assert_eq!(lines, [0, 5, 8, 13], "{:#?}", inventory.problems());
    let not_read: Vec<&str> = inventory.not_read().iter().map(|n| n.path.as_str()).collect();
    assert_eq!(not_read, ["Gemfile.lock", "go.mod", "requirements.txt"]);
    assert!(!inventory.is_complete());
}

#[test]
fn alpine_edges_sources_licences_and_ecosystem() {
    let inventory = catalogue(files("apk-db"), Limits::for_images()).unwrap();
    let by_name = |name: &str| inventory.components().iter().find(|c| c.name == name).unwrap();
    let busybox = by_name("busybox");
    let needs: Vec<&str> = inventory.dependencies(&busybox.id).collect();
    assert_eq!(needs, ["pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.3"]);
    assert_eq!(by_name("libcrypto3").source.as_ref().unwrap().name, "openssl");
    let licence = by_name("multi-lic").licences.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(licence, ["MIT AND (GPL-2.0-or-later OR custom:foo)"]);
    assert_eq!(inventory.ecosystem(busybox), Some(Ecosystem::Alpine(Some("v3.20".to_owned()))));
}

#[test]
fn debian_edges_name_what_is_missing() {
    let inventory = catalogue(files("dpkg-distroless"), Limits::for_images()).unwrap();
    let libc = inventory.components().iter().find(|c| c.name == "libc6").unwrap();
    assert_eq!(libc.unresolved, BTreeSet::from(["libgcc-s1".to_owned()]));
    assert_eq!(libc.source.as_ref().unwrap().name, "glibc");
}

#[test]
fn composer_reads_plan_and_reality_as_one() {
    let lock = r#"{"packages": [
        {"name": "acme/app-kit", "version": "1.0.0", "license": "MIT", "require": {"php": ">=8.2", "ext-json": "*", "psr/log-impl": "1", "extas/tool": "^1"}},
        {"name": "extas/tool", "version": "1.4", "license": ["MIT", "GPL-2.0-only"], "dist": {"shasum": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}},
        {"name": "acme/log", "version": "2.0", "provide": {"psr/log-impl": "1"}}],
        "packages-dev": [{"name": "acme/test", "version": "dev-main"}], "plugin-api-version": "2.6.0"}"#;
    let manifest =
        r#"{"name": "acme/shop", "require": {"acme/app-kit": "^1"}, "require-dev": {"acme/test": "*"}}"#;
    let installed = r#"{"packages": [{"name": "acme/log", "version": "2.0", "license": ["BSD-3-Clause"]}], "dev": false, "dev-package-names": []}"#;
    let inventory = read(&[
        ("composer.lock", lock),
        ("composer.json", manifest),
        ("vendor/composer/installed.json", installed),
    ])
    .unwrap();
    let deps: Vec<&str> = inventory.dependencies("pkg:composer/acme/app-kit@1.0.0").collect();
    assert_eq!(deps, ["pkg:composer/acme/log@2.0", "pkg:composer/extas/tool@1.4"]);
    let root = inventory.component("pkg:composer/acme/shop").unwrap();
    assert!(root.project);
    assert_eq!(inventory.dependencies(&root.id).count(), 2);
    let log = inventory.component("pkg:composer/acme/log@2.0").unwrap();
    assert_eq!(log.locations.len(), 2);
    assert_eq!(log.licences[0].to_string(), "BSD-3-Clause");
    assert_eq!(inventory.component("pkg:composer/acme/test@dev-main").unwrap().scope, Scope::Development);
    assert_eq!(
        inventory.component("pkg:composer/extas/tool@1.4").unwrap().licences[0].to_string(),
        "MIT OR GPL-2.0-only"
    );
    assert_eq!(inventory.roots(), ["pkg:composer/acme/shop"]);
}

#[test]
fn npm_climbs_the_tree_and_tells_origins_apart() {
    let lock = r#"{"name": "web", "version": "0.1.0", "lockfileVersion": 3, "packages": {
        "": {"name": "web", "version": "0.1.0", "license": "MIT", "dependencies": {"a": "1", "local": "*", "@s/b": "^2"}, "devDependencies": {"d": "1"}},
        "node_modules/a": {"version": "1.0.0", "resolved": "https://registry.npmjs.org/a/-/a-1.0.0.tgz", "integrity": "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==", "dependencies": {"@s/b": "1", "gone": "1"}},
        "node_modules/a/node_modules/@s/b": {"version": "1.0.0", "resolved": "https://registry.npmjs.org/@s/b/-/b-1.0.0.tgz"},
        "node_modules/@s/b": {"version": "2.0.0", "resolved": "git+ssh://git@example.org/s/b.git#abc", "license": "SEE LICENSE IN X"},
        "node_modules/d": {"version": "1.0.0", "dev": true},
        "node_modules/local": {"resolved": "packages/local", "link": true},
        "packages/local": {"name": "local", "version": "9.9.9"}}}"#;
    let inventory = read(&[("package-lock.json", lock)]).unwrap();
    let a = inventory.component("pkg:npm/a@1.0.0").unwrap();
    assert_eq!(inventory.dependencies(&a.id).collect::<Vec<_>>(), ["pkg:npm/%40s/b@1.0.0"]);
    assert_eq!(a.unresolved, BTreeSet::from(["gone".to_owned()]));
    assert_eq!(a.checksums.iter().next().unwrap().hex.len(), 128);
    let git = inventory.components().iter().find(|c| matches!(c.origin, Origin::Vcs(_))).unwrap();
    assert!(git.purl.as_ref().unwrap().qualifier("vcs_url").is_some());
    let local = inventory.component("npm:local@9.9.9").unwrap();
    assert!(local.purl.is_none());
    assert_eq!(inventory.dependencies("pkg:npm/web@0.1.0").count(), 4);
}

#[test]
fn cargo_lock_of_this_workspace_is_read_whole() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    let text = std::fs::read_to_string(path).unwrap();
    let inventory = read(&[("Cargo.lock", &text)]).unwrap();
    assert_eq!(inventory.components().len(), text.matches("[[package]]").count());
    assert!(inventory.components().iter().all(|c| c.unresolved.is_empty()));
    let semver = inventory.components().iter().find(|c| c.name == "semver").unwrap();
    assert_eq!(semver.checksums.len(), 1);
}

#[test]
fn future_formats_and_bad_input_are_refused_by_name() {
    let deep = format!("{{\"packages\": {}", "[".repeat(200));
    let table: [(&str, &str, &str); 9] = [
        (
            "package-lock.json",
            r#"{"lockfileVersion": 4, "packages": {}}"#,
            "package-lock.json version 4 is not known",
        ),
        ("Cargo.lock", "version = 5\n", "Cargo.lock version 5 is not known"),
        (
            "composer.lock",
            r#"{"packages": [], "plugin-api-version": "3.0.0"}"#,
            "composer.lock version 3.0.0 is not known",
        ),
        ("package-lock.json", r#"{"lockfileVersion": 3, "lockfileVersion": 3}"#, "stands twice"),
        ("composer.lock", &deep, "nested deeper than 128"),
        ("composer.lock", r#"{"packages": [{"name": "a/b"}]}"#, "\"version\" is missing"),
        ("Cargo.lock", "[[package]]\nname = \"x\"\n", "a package without version"),
        ("../composer.lock", "{}", "no relative path"),
        ("/etc/os-release", "ID=x", "no relative path"),
    ];
    for (path, text, said) in table {
        let error = read(&[(path, text)]).unwrap_err().to_string();
        assert!(error.contains(said), "{path}: {error}");
    }
    let small = Limits { file_bytes: 10, components: 10 };
    let error = catalogue([("composer.lock", "{\"packages\": []}")], small).unwrap_err().to_string();
    assert!(error.contains("more than 10 bytes"), "{error}");
}

#[test]
fn the_order_of_files_does_not_matter() {
    let mut files = files("npm-v1");
    files.extend(self::files("apk-db"));
    let one = catalogue(files.clone(), Limits::for_images()).unwrap();
    files.reverse();
    assert_eq!(one, catalogue(files, Limits::for_images()).unwrap());
}

#[test]
fn what_is_not_read_is_listed() {
    let inventory = read(&[
        ("yarn.lock", ""),
        ("var/lib/rpm/rpmdb.sqlite", ""),
        ("usr/lib/python3/site-packages/x.dist-info/METADATA", ""),
        ("vendor/acme/x/composer.lock", ""),
        ("app/package.json", "{}"),
        ("readme.md", ""),
    ])
    .unwrap();
    assert_eq!(inventory.not_read().len(), 5, "{:#?}", inventory.not_read());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// A real file with some bytes changed or cut is read or refused; it never panics, and never reads as nothing at all
    /// without a word.
    #[test]
    fn damaged_files_are_read_or_refused(tree in 0_usize..4, which in 0_usize..9, at in 0_usize..6000, byte in any::<u8>(), cut in any::<bool>()) {
        let mut all = files(["apk-db", "composer-installed", "dpkg-distroless", "npm-v1"][tree]);
        let index = which % all.len();
        let bytes = &mut all[index].1;
        let at = at % bytes.len().max(1);
        if cut { bytes.truncate(at) } else if let Some(b) = bytes.get_mut(at) { *b = byte }
        if let Ok(inventory) = catalogue(all, Limits::for_images()) {
            let id = inventory.components().iter().map(|c| c.id.clone()).collect::<BTreeSet<_>>();
            prop_assert_eq!(id.len(), inventory.components().len(), "ids are unique");
            prop_assert!(inventory.roots().len() <= id.len());
        }
    }
}
