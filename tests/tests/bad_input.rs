//! Bad input gives a clear error (what, where, what to do) and leaves nothing half-written: one table for the release, one for
//! the crates alone, and the disk that is full.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test states what must hold"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lotse_digest::Digest;
use lotse_release::{Request, VerifyRequest, release, verify};
use lotse_sign::{Bundle, Scheme, SigningKey};
use lotse_tests::{committed_armband, copy, git, test_key};
use tempfile::TempDir;

/// Every path below a directory, with the digest of what is there.
fn listing(directory: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let content = if metadata.is_dir() {
                waiting.push(path.clone());
                "directory".to_owned()
            } else {
                Digest::sha256(&fs::read(&path).unwrap()).to_string()
            };
            found.insert(path, content);
        }
    }
    found
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// Shows that a message has all words, and nothing of a program's inside.
fn told(name: &str, message: &str, words: &[&str]) {
    eprintln!("{name}: {message}");
    assert!(!words.is_empty(), "{name}");
    for word in words {
        assert!(!word.is_empty() && message.contains(word), "{name}: {word:?} is not in: {message}");
    }
    for inside in ["Os {", "Error(", "Some(", "panicked", "unwrap"] {
        assert!(!message.contains(inside), "{name}: {message}");
    }
}

fn swap(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{from} in {}", file.display());
    fs::write(file, text.replacen(from, to, 1)).unwrap();
}

fn cut(file: &Path) {
    let bytes = fs::read(file).unwrap();
    fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
}

/// The directory of a case, with the committed application in `app`, and the request that will be made.
struct Setting<'a> {
    directory: &'a Path,
    request: &'a mut Request,
}

impl Setting<'_> {
    fn app(&self, path: &str) -> PathBuf {
        self.directory.join("app").join(path)
    }

    fn spec(&self) -> PathBuf {
        self.app("lotse.yaml")
    }

    /// A blob of the base layout, by the beginning of its digest.
    fn base(&self, digest: &str) -> PathBuf {
        let blobs = fs::read_dir(self.app("bases/layout/blobs/sha256")).unwrap();
        let mut blobs = blobs.map(|entry| entry.unwrap().path());
        blobs.find(|path| path.file_name().unwrap().to_string_lossy().starts_with(digest)).unwrap()
    }
}

type Release = (&'static str, fn(&mut Setting<'_>), &'static [&'static str]);

const PHP_LAYER: &str = "a7ea4ea1";

const RELEASES: [Release; 34] = [
    (
        "no specification",
        |s| fs::remove_file(s.spec()).unwrap(),
        &["DIR/app/lotse.yaml", "No such file", "name the directory of an application with --app"],
    ),
    (
        "five mistakes",
        |s| {
            swap(&s.spec(), "lotse: v1", "lotse: v7");
            swap(&s.spec(), "conn", "konn");
            swap(&s.spec(), "ports: {http: 8080}", "ports: {http: eighty}");
            swap(&s.spec(), "memory: 64Mi}", "memory: many}");
            swap(&s.spec(), "objective: 99.9", "objective: 120");
        },
        &[
            "lotse.yaml:2:8:",
            "is not v1",
            "20:19:",
            "not a port from 1024",
            "25:46:",
            "100m or 2 for CPU",
            "26:5:",
            "did you mean \"connections\"?",
            "76:40:",
            "percent below 100",
        ],
    ),
    (
        "an alias bomb",
        |s| {
            let mut bomb = "lotse: v1\nx-a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
            for (name, of) in
                [("b", "a"), ("c", "b"), ("d", "c"), ("e", "d"), ("f", "e"), ("g", "f"), ("h", "g")]
            {
                bomb += &format!(
                    "x-{name}: &{name} [*{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}]\n"
                );
            }
            fs::write(s.spec(), bomb).unwrap();
        },
        &["lotse.yaml:2:10:", "yaml-bomb", "more than 100000 values after aliases"],
    ),
    (
        "a specification that is no UTF-8",
        |s| fs::write(s.spec(), b"lotse: v1\nname: \xff\xfe\n").unwrap(),
        &["lotse.yaml:2:7:", "not UTF-8"],
    ),
    (
        "an image without a digest",
        |s| {
            let text = fs::read_to_string(s.spec()).unwrap();
            let at = text.find("redis:8.0@sha256:").unwrap() + "redis:8.0".len();
            fs::write(s.spec(), text[..at].to_owned() + &text[at + 72..]).unwrap();
        },
        &["lotse.yaml:68:12:", "image-unpinned", "redis:8.0", "skopeo inspect"],
    ),
    (
        "an unknown engine",
        |s| swap(&s.spec(), "engine: mysql", "engine: oracle"),
        &["lotse.yaml:45:41:", "oracle", "one of mysql, mariadb, postgres, sqlite"],
    ),
    (
        "a copied path that is missing",
        |s| fs::remove_dir_all(s.app("routes")).unwrap(),
        &["lotse.yaml:31:79:", "\"routes\" is not in", "leave it out"],
    ),
    (
        ".env in a copied directory",
        |s| fs::write(s.app("config/.env"), "APP_KEY=\n").unwrap(),
        &["lotse.yaml:31:41:", "config/.env", "would go into the image"],
    ),
    (
        "no base layout",
        |s| fs::remove_dir_all(s.app("bases")).unwrap(),
        &["base image registry.example/base/nginx:1.28@sha256:1f8619", "--bases"],
    ),
    (
        "a base layout that is none",
        |s| s.request.bases = Some(s.app("config")),
        &["oci-layout", "is not in DIR/app/config"],
    ),
    (
        "a base that is not in the layout",
        |s| {
            swap(&s.spec(), "php:8.4@sha256:4b", "php:8.4@sha256:00");
        },
        &["sha256:0041609c", "is not in layout DIR/app/bases/layout"],
    ),
    (
        "a layout with a cut index",
        |s| cut(&s.app("bases/layout/index.json")),
        &["image index DIR/app/bases/layout/index.json is malformed", "line 1 column"],
    ),
    (
        "a layout with a cut layer",
        |s| cut(&s.base(PHP_LAYER)),
        &["DIR/app/bases/layout/blobs/sha256/a7ea4ea1", "ends after 373 bytes, expected 746"],
    ),
    (
        "a layout with a layer of other bytes",
        |s| {
            let path = s.base(PHP_LAYER);
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(path, bytes).unwrap();
        },
        &["DIR/app/bases/layout/blobs/sha256/a7ea4ea1", "expected sha256:a7ea4ea1"],
    ),
    (
        "a layout without a layer",
        |s| fs::remove_file(s.base(PHP_LAYER)).unwrap(),
        &["blob sha256:a7ea4ea1", "is not in layout DIR/app/bases/layout"],
    ),
    (
        "a lock file of a future version",
        |s| {
            swap(&s.app("package-lock.json"), "\"lockfileVersion\": 3", "\"lockfileVersion\": 9");
        },
        &[
            "package-lock.json version 9 is not known",
            "known: 1, 2, 3",
            "update lotse-sbom or write the file with an older tool",
        ],
    ),
    ("a cut lock file", |s| cut(&s.app("composer.lock")), &["composer.lock:99:15:", "ends inside a string"]),
    (
        "a migration that is no UTF-8",
        |s| {
            fs::write(s.app("database/migrations/expand/2026_11_03_000000_x.php"), b"<?php // \xff\n")
                .unwrap();
        },
        &[
            "DIR/app/database/migrations/expand/2026_11_03_000000_x.php",
            "byte 9 is not UTF-8",
            "save the migration as UTF-8",
        ],
    ),
    (
        "a migration in an unknown language",
        |s| {
            fs::write(s.app("database/migrations/expand/2026_11_03_000000_x.rb"), "add_column\n").unwrap();
        },
        &["2026_11_03_000000_x.rb", ".sql", "move other files out of the folder"],
    ),
    (
        "no Git repository",
        |s| fs::remove_dir_all(s.app(".git")).unwrap(),
        &["DIR/app lies in no Git repository", "a release needs a commit"],
    ),
    (
        "a Git repository without a commit",
        |s| {
            fs::remove_dir_all(s.app(".git")).unwrap();
            git(&s.app("."), &["init", "-q"]);
        },
        &["HEAD names no commit", "commit first"],
    ),
    (
        "an advisory that is no OSV record",
        |s| {
            fs::write(s.app("security/osv/GHSA-jr5f-v2jv-69x6.json"), "{\"id\": 7}").unwrap();
        },
        &["GHSA-jr5f-v2jv-69x6.json:1:8:", "id must be a string, found a number"],
    ),
    (
        "a cut VEX document",
        |s| cut(&s.app("security/vex.json")),
        &["security/vex.json:12:15:", "ends inside a string"],
    ),
    (
        "no VEX document",
        |s| fs::remove_file(s.app("security/vex.json")).unwrap(),
        &["read DIR/app/security/vex.json", "No such file"],
    ),
    (
        "alerts that are no YAML",
        |s| fs::write(s.app("deploy/alerts.yaml"), "groups: [\n  {a: b\n").unwrap(),
        &["deploy/alerts.yaml:2:3:", "unclosed bracket"],
    ),
    (
        "an output directory that holds something else",
        |s| {
            fs::create_dir(s.directory.join("out")).unwrap();
            fs::write(s.directory.join("out/thesis.txt"), "mine").unwrap();
        },
        &["DIR/out", "no release", "name an empty or new directory"],
    ),
    (
        "an output that is a file",
        |s| fs::write(s.directory.join("out"), "mine").unwrap(),
        &["DIR/out", "no release", "name an empty or new directory"],
    ),
    (
        "an output below a file",
        |s| {
            fs::write(s.directory.join("file"), "mine").unwrap();
            s.request.out = s.directory.join("file/out");
        },
        &["DIR/file/out cannot be written", "Not a directory", "--out"],
    ),
    (
        "an output nobody may write",
        |s| s.request.out = PathBuf::from("/proc/lotse-release"),
        &["/proc/lotse-release cannot be written", "--out"],
    ),
    (
        "a key of garbage",
        |s| s.request.key = Some("garbage".to_owned()),
        &["no usable private key", "there is no"],
    ),
    (
        "an encrypted key",
        |s| {
            s.request.key = Some(test_key().replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"));
        },
        &["ENCRYPTED PRIVATE KEY", "not supported", "openssl pkcs8 -topk8 -nocrypt"],
    ),
    (
        "a public key in place of the private",
        |s| {
            let key = SigningKey::from_secret(Scheme::EcdsaP256Sha256, &[9; 32]).unwrap();
            s.request.key = Some(key.verifying_key().to_pem());
        },
        &["\"PUBLIC KEY\" is not supported", "PKCS#8"],
    ),
    (
        "a cut key",
        |s| s.request.key = Some(test_key()[..60].to_owned()),
        &["no usable private key", "END PRIVATE KEY", "is missing"],
    ),
    (
        "a cut log of the release before",
        |s| {
            release(s.request, &mut ()).unwrap();
            cut(&s.request.out.join("log/tile/entries/000.p/1"));
        },
        &["tile/entries/000.p/1 is malformed", "cut off"],
    ),
];

#[test]
fn a_release_of_bad_input_is_told_and_nothing_is_left() {
    let original = TempDir::new().unwrap();
    committed_armband(&original.path().join("app"));
    for (name, change, words) in RELEASES {
        let directory = TempDir::new().unwrap();
        let app = directory.path().join("app");
        copy(&original.path().join("app"), &app);
        let mut request =
            Request { key: Some(test_key()), ..Request::new(&app, directory.path().join("out")) };
        change(&mut Setting { directory: directory.path(), request: &mut request });
        let before = listing(directory.path());
        match release(&request, &mut ()) {
            Ok(report) => panic!("{name} was taken: {}", report.to_table()),
            Err(error) => {
                assert!(matches!(error.exit_code(), 2 | 3), "{name}");
                told(name, &error.chain().replace(&*directory.path().to_string_lossy(), "DIR"), words);
            }
        }
        assert_eq!(listing(directory.path()), before, "{name}: something was left behind");
    }
}

type Core = (&'static str, fn(&Path) -> String, &'static [&'static str]);

fn failed<T>(result: Result<T, impl Error>) -> String {
    chain(&result.err().expect("it should have been refused"))
}

const BOMB: &str = "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n\
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n\
e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]\n\
g: [*f, *f, *f, *f, *f, *f, *f, *f, *f, *f]\n";

const CORES: [Core; 20] = [
    (
        "digest: too short",
        |_| failed("sha256:abcd".parse::<Digest>()),
        &["sha256 digest has 64 hexadecimal characters, not 4"],
    ),
    (
        "digest: a reference without a name",
        |_| failed(":latest".parse::<lotse_digest::Reference>()),
        &["\"\" is no repository name", "lower-case letters and digits"],
    ),
    (
        "yaml: a bomb in a manifest",
        |_| {
            let limits = lotse_yaml::Limits::manifests();
            failed(
                lotse_yaml::Stream::parse(BOMB.as_bytes(), lotse_yaml::Dialect::Kubectl, &limits)
                    .and_then(|stream| stream.values()),
            )
        },
        &["1:14:", "expands too much through its aliases"],
    ),
    (
        "yaml: JSON too deep",
        |_| failed(lotse_yaml::parse_json("[".repeat(100_000).as_bytes(), &lotse_yaml::Limits::manifests())),
        &["1:102:", "more than 100 levels", "raise the limit if the input is trusted"],
    ),
    (
        "oci: no layout",
        |directory| failed(lotse_oci::Layout::open(directory, lotse_oci::Limits::default())),
        &["oci-layout", "is not in DIR"],
    ),
    (
        "oci: a layout of a future version",
        |directory| {
            let layout = directory.join("layout");
            lotse_oci::Layout::create(&layout, lotse_oci::Limits::default()).unwrap();
            swap(&layout.join("oci-layout"), "1.0.0", "2.0.0");
            failed(lotse_oci::Layout::open(&layout, lotse_oci::Limits::default()))
        },
        &["version \"2.0.0\" is not supported", "reads 1.0.0"],
    ),
    (
        "sbom: a lock file too deep",
        |_| {
            let file = ("package-lock.json", "{\"a\":".repeat(100_000));
            failed(lotse_sbom::catalogue([file], lotse_sbom::Limits::for_images()))
        },
        &["package-lock.json:1:", "nested deeper than 128 levels"],
    ),
    (
        "sbom: a path out of the tree",
        |_| failed(lotse_sbom::catalogue([("../composer.lock", "{}")], lotse_sbom::Limits::for_images())),
        &["../composer.lock", "no relative path inside the tree"],
    ),
    (
        "secret-scan: no repository",
        |directory| {
            let scanner =
                lotse_secret_scan::Scanner::new(lotse_secret_scan::Limits::for_repositories()).unwrap();
            failed(lotse_secret_scan::scan_history(&scanner, directory, &mut |_| {}))
        },
        &["DIR cannot be read", "does not appear to be a git repository"],
    ),
    (
        "sign: a cut bundle",
        |_| {
            let key = SigningKey::from_pem(&test_key()).unwrap();
            let bundle = Bundle::sign_statement(b"{}".to_vec(), &key).unwrap().to_json().unwrap();
            failed(Bundle::parse(&bundle[..bundle.len() - 9]))
        },
        &["bundle is malformed", "line 1 column"],
    ),
    (
        "sign: a bundle of a future version",
        |_| {
            let key = SigningKey::from_pem(&test_key()).unwrap();
            let bundle = Bundle::sign_statement(b"{}".to_vec(), &key).unwrap().to_json().unwrap();
            failed(Bundle::parse(String::from_utf8(bundle).unwrap().replace("v0.3", "v0.9").as_bytes()))
        },
        &["bundle.v0.9+json", "is not supported", "versions 0.1, 0.2 and 0.3 are read"],
    ),
    (
        "gitops-manifest: a bump to an image without a digest",
        |_| {
            let to = "registry.example/app:2".parse().unwrap();
            failed(lotse_gitops_manifest::bump(b"image: registry.example/app:1\n", &to))
        },
        &["registry.example/app:2", "has no digest", "pin it as name:tag@sha256:"],
    ),
    (
        "gitops-manifest: an object without a kind",
        |_| {
            let limits = lotse_yaml::Limits::manifests();
            failed(lotse_gitops_manifest::Object::parse_all(
                "pod.yaml",
                b"apiVersion: v1\nmetadata: {name: a}\n",
                &limits,
            ))
        },
        &["pod.yaml:1:1:", "/kind"],
    ),
    (
        "guardrails: an unknown level",
        |_| failed("strict".parse::<lotse_guardrails::Level>()),
        &["`strict`", "write privileged, baseline or restricted"],
    ),
    (
        "netpol: a manifest that is no YAML",
        |_| {
            let file = ("policy.yaml", &b"kind: NetworkPolicy\nspec: {\n"[..]);
            failed(lotse_netpol::Cluster::parse([file], &lotse_yaml::Limits::manifests()))
        },
        &["policy.yaml:2:7:", "unclosed bracket"],
    ),
    (
        "netpol: an unknown profile",
        |_| failed("moon".parse::<lotse_netpol::Profile>()),
        &["`moon`", "write node, external or podlike"],
    ),
    (
        "migrate-plan: an unknown engine",
        |_| failed("oracle".parse::<lotse_migrate_plan::Engine>()),
        &["\"oracle\"", "use mysql, mariadb, postgres or sqlite"],
    ),
    (
        "migrate-plan: a statement that does not end",
        |_| {
            let text = "ALTER TABLE a ADD b TEXT DEFAULT 'x;\n";
            failed(lotse_migrate_plan::Migration::read("1_a.sql", text, lotse_migrate_plan::Engine::MySql))
        },
        &["1_a.sql:1:", "ends inside a quoted string or name"],
    ),
    (
        "provenance: a statement that is none",
        |_| failed(lotse_provenance::Statement::parse(b"{\"_type\": \"other\"}")),
        &["in-toto statement is malformed", "missing field `subject`"],
    ),
    (
        "release: nothing to verify",
        |directory| failed(verify(&VerifyRequest::new(directory.join("none")), &mut ())),
        &["DIR/none holds no release", "neither evidence.json nor log/"],
    ),
];

#[test]
fn a_core_tells_what_is_wrong_with_its_input() {
    for (name, refuse, words) in CORES {
        let directory = TempDir::new().unwrap();
        let message = refuse(directory.path()).replace(&*directory.path().to_string_lossy(), "DIR");
        told(name, &message, words);
    }
}

/// The history that is not there is told, and what was searched is not called the whole.
#[test]
fn a_shallow_clone_is_told() {
    let directory = TempDir::new().unwrap();
    let (origin, app) = (directory.path().join("origin"), directory.path().join("app"));
    committed_armband(&origin);
    fs::write(origin.join("README"), "Two commits\n").unwrap();
    git(&origin, &["add", "-A"]);
    git(&origin, &["commit", "-q", "-m", "More"]);
    git(directory.path(), &["clone", "-q", "--depth", "1", &format!("file://{}", origin.display()), "app"]);
    let request = Request { key: Some(test_key()), ..Request::new(&app, directory.path().join("out")) };
    let before = listing(directory.path());
    match release(&request, &mut ()) {
        Ok(report) => {
            let check = report.checks.iter().find(|check| check.id == "secrets").unwrap();
            let all = format!("{check:?}");
            assert!(all.contains("shallow"), "{all}");
            assert_ne!(check.outcome, lotse_release::Outcome::Passed, "{all}");
        }
        Err(error) => {
            told("a shallow clone", &error.chain(), &["shallow"]);
            assert_eq!(listing(directory.path()), before);
        }
    }
}

/// In a process of its own: releases the application in this directory, prints the error and what is left.
const CHILD: &str = "LOTSE_TEST_RELEASE_INTO";

#[test]
fn release_in_a_child() {
    let Ok(directory) = std::env::var(CHILD) else { return };
    let app = PathBuf::from(std::env::var("LOTSE_TEST_APP").unwrap());
    let out = Path::new(&directory).join("out");
    let request = Request { key: Some(test_key()), ..Request::new(app, out) };
    let error = release(&request, &mut ()).expect_err("there is no room for it");
    println!("told: {}", error.chain());
    println!(
        "left: {:?}",
        fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>()
    );
}

/// Once with a limit on the size of files, once, where the machine lets us mount, with a disk of 64 KiB that is really full.
#[test]
fn a_full_disk_is_told_and_nothing_is_left() {
    let directory = TempDir::new().unwrap();
    let app = directory.path().join("app");
    committed_armband(&app);
    let place = directory.path().join("place");
    fs::create_dir(&place).unwrap();
    let child = |script: &str, around: &[&str]| {
        let mut arguments: Vec<&str> = around.to_vec();
        arguments.extend(["sh", "-c", script, "sh"]);
        let output = Command::new(arguments[0])
            .args(&arguments[1..])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "release_in_a_child", "--nocapture"])
            .env(CHILD, &place)
            .env("LOTSE_TEST_APP", &app)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    // The signal is ignored, so that the write fails as on a full disk.
    let said = child("trap '' XFSZ; ulimit -f 8; exec \"$@\"", &["env"]);
    told("a limit on files", &said, &["File too large", "place/out.lotse-tmp-", "left: []"]);
    assert_eq!(fs::read_dir(&place).unwrap().count(), 0);

    let mountable = "mount -t tmpfs -o size=64k tmpfs \"$LOTSE_TEST_RELEASE_INTO\" || { echo cannot mount; exit; }; exec \"$@\"";
    let said = child(mountable, &["unshare", "--mount"]);
    if said.contains("told: ") {
        told("a full disk", &said, &["No space left on device", "place/out.lotse-tmp-", "left: []"]);
    } else {
        eprintln!("skipped: no tmpfs can be mounted here, so only the limit on files was tried: {said}");
    }
}
