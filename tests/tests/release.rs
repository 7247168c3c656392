//! The main job: the same input gives the same files, and every manipulation of them is found and named.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lotse_release::{Outcome, Report, Request, Start, Verdict, VerifyRequest, release, verify};
use lotse_sign::{Bundle, Scheme, SigningKey};
use lotse_tests::{commit, committed_armband, copy, git, test_key};
use tempfile::TempDir;

struct Released {
    directory: TempDir,
    report: Report,
}

impl Released {
    fn out(&self) -> PathBuf {
        self.directory.path().join("out")
    }
}

fn released(key: Option<String>) -> Released {
    let directory = TempDir::new().unwrap();
    let app = directory.path().join("app");
    committed_armband(&app);
    let request = Request { key, ..Request::new(&app, directory.path().join("out")) };
    let report = release(&request, &mut ()).unwrap_or_else(|error| panic!("{}", error.chain()));
    Released { directory, report }
}

fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().to_string_lossy().into_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn the_bundled_application_passes_its_gate_and_verifies() {
    let released = released(None);
    assert_eq!(released.report.verdict, Verdict::Passed, "{}", released.report.to_table());
    let verification = verify(&VerifyRequest::new(released.out()), &mut ()).unwrap();
    assert_eq!(verification.broken(), None, "{}", verification.to_table());
    assert_eq!(verification.commit.as_deref(), Some(released.report.commit.as_str()));
    let table = released.report.to_table();
    assert!(table.contains("integrity, not origin"), "{table}");
    for check in &released.report.checks {
        assert!(
            !check.summary.is_empty() && !check.limits.is_empty(),
            "{} says what it looked at and what it does not prove",
            check.id
        );
    }
}

#[test]
fn nothing_is_seeded_before_the_rollout_and_nothing_contracted_with_it() {
    let report = released(None).report;
    let phases: Vec<_> = report.migrations.iter().map(|step| (step.phase.as_str(), step.now)).collect();
    assert_eq!(
        phases,
        [("expand", true), ("expand", true), ("expand", true), ("backfill", true), ("contract", false)]
    );
    assert!(report.migrations[3].place.contains("FaqSeeder"));
}

#[test]
fn something_is_found_something_is_excused_and_something_is_expired() {
    let released = released(None);
    let check = released.report.checks.iter().find(|check| check.id == "vulnerabilities").unwrap();
    let all: Vec<String> =
        check.findings.iter().map(|finding| format!("{} {}", finding.place, finding.text)).collect();
    for part in [
        "ALPINE-CVE-2024-58251 (low)",
        "GHSA-jr5f-v2jv-69x6 (high) not affected, says",
        "expired on 2026-06-30",
        "allowed until 2027-01-31",
    ] {
        assert!(all.iter().any(|finding| finding.contains(part)), "{part} in {all:#?}");
    }
    assert!(
        !all.iter().any(|finding| finding.contains("ALPINE-CVE-2025-9230")),
        "repaired in the version that is there"
    );
}

/// Not a test of its own: a release in a process of its own, when the next test asks for one.
#[test]
fn release_in_other_surroundings() {
    let Some(directory) =
        std::env::args().find_map(|argument| argument.strip_prefix("--skip=release:").map(PathBuf::from))
    else {
        return;
    };
    let request = Request {
        key: Some(test_key()),
        ..Request::new(directory.join("app"), directory.join("elsewhere/out"))
    };
    release(&request, &mut ()).unwrap_or_else(|error| panic!("{}", error.chain()));
}

#[test]
fn two_runs_give_the_same_bytes_whatever_surrounds_them() {
    let one = released(Some(test_key()));
    let directory = TempDir::new().unwrap();
    let other = directory.path().join("a longer way/to it");
    fs::create_dir_all(other.join("elsewhere")).unwrap();
    fs::copy(std::env::current_exe().unwrap(), other.join("program")).unwrap();
    // Another umask, order of creation, mode, time, time zone, locale, home and, where this is root, user.
    let script = r#"
        umask 077; mkdir "$2/app"; cd "$1"
        find . -type f | sort -r | while read -r file; do
            mkdir -p "$2/app/$(dirname "$file")"; cat "$file" > "$2/app/$file"
            if test -x "$file"; then chmod 700 "$2/app/$file"; fi; touch -d 2001-01-01 "$2/app/$file"
        done
        if test "$(id -u)" = 0; then
            chown -R 65534:65534 "$2"; chmod 711 "$3" "$3/a longer way"; run="setpriv --reuid=65534 --regid=65534 --clear-groups --"
        else run=env; fi
        cd "$2"; umask 027
        exec $run "$2/program" --exact release_in_other_surroundings "--skip=release:$2"
    "#;
    let first = one.directory.path().join("app");
    let output = std::process::Command::new("sh")
        .args(["-c", script, "sh"])
        .args([&first, &other, directory.path()])
        .env("LC_ALL", "tr_TR.UTF-8")
        .env("LANG", "tr_TR.UTF-8")
        .env("TZ", "Pacific/Chatham")
        .env("HOME", "/nonexistent")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let (first, second) = (files(&one.out()), files(&other.join("elsewhere/out")));
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for (name, content) in &first {
        assert!(second[name] == *content, "{name} differs");
    }
}

#[test]
fn without_a_key_only_the_key_and_what_it_signed_differ() {
    let (one, two) = (released(None), released(None));
    let (first, second) = (files(&one.out()), files(&two.out()));
    let signed = |name: &str| {
        ["key", "log/", "attestations/", "evidence.", "images/index.json", "images/blobs/"]
            .iter()
            .any(|part| name.starts_with(part))
    };
    let mut same = 0;
    for (name, content) in &first {
        match second.get(name) {
            Some(other) if other == content => same += 1,
            _ => assert!(signed(name), "{name} differs and was not signed"),
        }
    }
    assert!(same > 40, "{same} files are the same");
    let digests =
        |report: &Report| report.images.values().map(|image| image.reference.to_string()).collect::<Vec<_>>();
    assert_eq!(digests(&one.report), digests(&two.report));
}

type Change = fn(&Path);

fn edit(file: &Path, change: impl Fn(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    change(&mut bytes);
    fs::write(file, bytes).unwrap();
}

fn swap(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{from} in {}", file.display());
    fs::write(file, text.replacen(from, to, 1)).unwrap();
}

fn blob(out: &Path, largest: bool) -> PathBuf {
    let blobs = fs::read_dir(out.join("images/blobs/sha256")).unwrap().map(|entry| entry.unwrap().path());
    let mut blobs: Vec<_> = blobs.map(|path| (fs::metadata(&path).unwrap().len(), path)).collect();
    blobs.sort();
    if largest { blobs.pop().unwrap().1 } else { blobs.remove(0).1 }
}

/// What the release's own key can be made to sign anew by whoever has it: here the attacker has not.
fn forged(statement: &str) -> Vec<u8> {
    let key = SigningKey::from_secret(Scheme::EcdsaP256Sha256, &[9; 32]).unwrap();
    Bundle::sign_statement(statement.as_bytes().to_vec(), &key).unwrap().to_json().unwrap()
}

/// Rewrites the evidence's list of files so that it agrees with what is there, as somebody with the files but not the key would.
fn relist(out: &Path, name: &str) {
    let digest = lotse_digest::Digest::sha256(&fs::read(out.join(name)).unwrap());
    edit(&out.join("evidence.json"), |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let at = text.find(&format!("\"{name}\": \"")).unwrap() + name.len() + 5;
        let mut changed = text.clone();
        changed.replace_range(at..at + 71, &digest.to_string());
        *bytes = changed.into_bytes();
    });
}

#[test]
fn every_manipulation_is_found_and_named() {
    let table: [(&str, Change, Option<&str>); 19] = [
        ("nothing changed", |_| {}, None),
        (
            "a byte of a layer",
            |out| {
                edit(&blob(out, true), |bytes| {
                    let at = bytes.len() / 2;
                    bytes[at] ^= 1
                })
            },
            Some("files"),
        ),
        ("a blob gone", |out| fs::remove_file(blob(out, false)).unwrap(), Some("files")),
        (
            "a swapped SBOM",
            |out| {
                fs::copy(out.join("sbom/nginx.cdx.json"), out.join("sbom/app.cdx.json")).unwrap();
            },
            Some("files"),
        ),
        (
            "a swapped SBOM, listed",
            |out| {
                fs::copy(out.join("sbom/nginx.cdx.json"), out.join("sbom/app.cdx.json")).unwrap();
                relist(out, "sbom/app.cdx.json")
            },
            Some("evidence"),
        ),
        (
            "a replaced signature",
            |out| edit(&out.join("attestations/app.provenance.sigstore.json"), |bytes| *bytes = forged("{}")),
            Some("files"),
        ),
        (
            "an unpinned image",
            |out| {
                edit(&out.join("manifests/production/20-redis.yaml"), |bytes| {
                    let text = String::from_utf8(bytes.clone()).unwrap();
                    let at = text.find("@sha256").unwrap();
                    *bytes = (text[..at].to_owned() + &text[at + 72..]).into_bytes()
                })
            },
            Some("files"),
        ),
        (
            "another image",
            |out| swap(&out.join("manifests/dev/20-app.yaml"), "@sha256:", "@sha256:0"),
            Some("files"),
        ),
        (
            "a removed log entry",
            |out| fs::write(out.join("log/tile/entries/000.p/1"), b"").unwrap(),
            Some("log"),
        ),
        (
            "a changed log entry",
            |out| {
                edit(&out.join("log/tile/entries/000.p/1"), |bytes| {
                    let at = bytes.len() / 2;
                    bytes[at] ^= 1
                })
            },
            Some("log"),
        ),
        ("a log of another size", |out| swap(&out.join("log/checkpoint"), "\n1\n", "\n2\n"), Some("log")),
        (
            "a checkpoint signed by nobody",
            |out| swap(&out.join("log/checkpoint"), "\u{2014} ", "\u{2014} x"),
            Some("log"),
        ),
        ("no log", |out| fs::remove_dir_all(out.join("log")).unwrap(), Some("log")),
        (
            "another public key",
            |out| {
                let key = SigningKey::from_secret(Scheme::EcdsaP256Sha256, &[9; 32]).unwrap();
                fs::write(out.join("key.pub.pem"), key.verifying_key().to_pem()).unwrap()
            },
            Some("log"),
        ),
        (
            "a verdict in the evidence",
            |out| swap(&out.join("evidence.json"), "\"verdict\": \"passed\"", "\"verdict\": \"Passed\""),
            Some("evidence"),
        ),
        (
            "a word on the page",
            |out| swap(&out.join("evidence.html"), "The gate says", "The gate said"),
            Some("evidence"),
        ),
        (
            "a file that nobody listed",
            |out| fs::write(out.join("manifests/dev/99-extra.yaml"), "a: b\n").unwrap(),
            Some("files"),
        ),
        ("a file gone", |out| fs::remove_file(out.join("network/production.json")).unwrap(), Some("files")),
        (
            "another specification",
            |out| swap(&out.join("lotse.yaml"), "rollback: 2", "rollback: 0"),
            Some("files"),
        ),
    ];
    let original = released(Some(test_key()));
    for (name, change, broken) in table {
        let copied = TempDir::new().unwrap();
        let out = copied.path().join("out");
        copy(&original.out(), &out);
        change(&out);
        let verification = verify(&VerifyRequest::new(&out), &mut ()).unwrap();
        assert_eq!(
            verification.broken().map(|step| step.link.as_str()),
            broken,
            "{name}: {}",
            verification.to_table()
        );
    }
}

/// Somebody who has the files and makes everything agree again with a key of their own: only the caller's key tells.
#[test]
fn a_release_signed_anew_by_a_stranger_is_told_by_the_key() {
    let stranger = SigningKey::from_secret(Scheme::EcdsaP256Sha256, &[9; 32]).unwrap();
    let forged = released(Some(stranger.to_pem().unwrap()));
    let ours = SigningKey::from_pem(&test_key()).unwrap().verifying_key().to_pem();
    let request = VerifyRequest { key: Some(ours), ..VerifyRequest::new(forged.out()) };
    let verification = verify(&request, &mut ()).unwrap();
    assert_eq!(verification.broken().map(|step| step.link.as_str()), Some("key"));
    let blind = verify(&VerifyRequest::new(forged.out()), &mut ()).unwrap();
    assert!(
        blind.broken().is_none() && !blind.key_given,
        "without a key it says that only integrity is proved"
    );
}

/// Manipulations inside the layout, made by somebody with the signing key: the links behind the files must still tell.
#[test]
fn links_behind_the_files_are_walked_too() {
    let original = released(Some(test_key()));
    let key = SigningKey::from_pem(&test_key()).unwrap();
    let app = original.report.images["app"].reference.digest().unwrap().clone();
    let out = original.out();
    let layout = lotse_oci::Layout::open(out.join("images"), lotse_oci::Limits::default()).unwrap();
    let attached = layout.referrers(&app).unwrap();
    assert_eq!(attached.len(), 3);
    let other = lotse_provenance::Subject::new("other", &lotse_digest::Digest::sha256(b"other"));
    let statement =
        lotse_provenance::Statement::new(vec![other], lotse_provenance::SLSA_PROVENANCE, b"{}").unwrap();
    let bundle = Bundle::sign_statement(statement.to_json().unwrap(), &key).unwrap().to_json().unwrap();
    let verifying = key.verifying_key();
    let mut evidence = lotse_provenance::Evidence::default();
    evidence.bundles = vec![bundle];
    let verifier = lotse_provenance::KeyVerifier(&verifying);
    let rules = lotse_provenance::ChainRules::new(&verifier);
    let chain = lotse_provenance::Chain::walk(&lotse_provenance::Start::Image(app), &evidence, &rules);
    assert_eq!(
        chain.broken().unwrap().kind,
        lotse_provenance::LinkKind::Provenance,
        "a statement for another digest"
    );
}

#[test]
fn the_walk_begins_where_it_is_told_to() {
    let released = released(None);
    let reference = released.report.images["app"].reference.to_string();
    let start = |from| VerifyRequest { from: Some(from), ..VerifyRequest::new(released.out()) };
    let verification =
        verify(&start(Start::Image(format!("docker-pullable://{reference}"))), &mut ()).unwrap();
    assert_eq!(verification.broken(), None, "{}", verification.to_table());
    assert!(verification.commit.is_some());
    let manifest = released.out().join("manifests/production/20-nginx.yaml");
    let verification = verify(&start(Start::Manifest(manifest)), &mut ()).unwrap();
    assert!(verification.commit.is_some(), "{}", verification.to_table());
    let stranger = format!("a@{}", lotse_digest::Digest::sha256(b"stranger"));
    let verification = verify(&start(Start::Image(stranger)), &mut ()).unwrap();
    assert_eq!(verification.broken().unwrap().link, "manifests");
    let request = VerifyRequest {
        repository: Some(released.directory.path().join("app")),
        ..VerifyRequest::new(released.out())
    };
    assert!(verify(&request, &mut ()).unwrap().broken().is_none(), "the repository has the commit");
}

#[test]
fn a_second_release_extends_the_log_and_keeps_the_key() {
    let released = released(None);
    let app = released.directory.path().join("app");
    let key = fs::read(released.out().join("key.pub.pem")).unwrap();
    fs::write(app.join("routes/web.php"), "<?php // changed\n").unwrap();
    git(&app, &["commit", "-q", "-a", "-m", "Change"]);
    let report = release(&Request::new(&app, released.out()), &mut ()).unwrap();
    assert_ne!(report.images["app"].reference, released.report.images["app"].reference);
    assert_eq!(fs::read(released.out().join("key.pub.pem")).unwrap(), key);
    let verification = verify(&VerifyRequest::new(released.out()), &mut ()).unwrap();
    assert!(verification.broken().is_none(), "{}", verification.to_table());
    assert!(verification.steps[1].text.starts_with("2 entries"), "{}", verification.to_table());
}

#[test]
fn a_dry_run_writes_nothing_and_says_the_same() {
    let released = released(Some(test_key()));
    let app = released.directory.path().join("app");
    let out = released.directory.path().join("dry");
    let request = Request { key: Some(test_key()), dry_run: true, ..Request::new(&app, &out) };
    assert_eq!(release(&request, &mut ()).unwrap(), released.report);
    let left: Vec<_> =
        fs::read_dir(released.directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "app and out alone: {left:?}");
}

#[test]
fn a_gate_refuses_each_thing_it_is_there_for() {
    // What the scanner finds must not stand in this file: it is put together here.
    type Break = fn(&Path);
    let table: [(&str, &str, Break); 5] = [
        ("vulnerabilities", "an advisory without an excuse", |app| {
            fs::remove_file(app.join("security/vex.json")).unwrap();
            swap(&app.join("lotse.yaml"), "  vex: [security/vex.json]\n", "")
        }),
        ("secrets", "a key in a file", |app| {
            fs::write(
                app.join("config/aws.php"),
                format!("<?php return ['key' => '{}{}'];", "AKIA", "Z7VRSQ5TJN2XMPLQ"),
            )
            .unwrap()
        }),
        ("flags", "a flag past its day", |app| {
            swap(&app.join("lotse.yaml"), "sunset: 2027-03-31", "sunset: 2026-03-31")
        }),
        ("service-levels", "no service level", |app| {
            swap(
                &app.join("lotse.yaml"),
                "slos:\n  availability: {of: nginx, objective: 99.9, window: 30d}\n",
                "",
            )
        }),
        ("migrations", "a column dropped before the rollout", |app| {
            fs::rename(app.join("database/migrations/contract"), app.join("database/migrations/expand/now"))
                .unwrap()
        }),
    ];
    for (id, name, change) in table {
        let directory = TempDir::new().unwrap();
        let app = directory.path().join("app");
        copy(&lotse_tests::armband(), &app);
        change(&app);
        commit(&app);
        let report = release(&Request::new(&app, directory.path().join("out")), &mut ())
            .unwrap_or_else(|error| panic!("{name}: {}", error.chain()));
        let check = report.checks.iter().find(|check| check.id == id).unwrap();
        assert_eq!(check.outcome, Outcome::Failed, "{name}: {check:#?}");
        assert_eq!(report.verdict, Verdict::Refused, "{name}");
        assert!(check.findings.iter().any(|finding| finding.counts), "{name}: a refusal has a witness");
    }
}

#[test]
fn what_was_changed_after_the_commit_is_refused() {
    let directory = TempDir::new().unwrap();
    let app = directory.path().join("app");
    committed_armband(&app);
    fs::write(app.join("routes/web.php"), "<?php // not committed\n").unwrap();
    fs::write(app.join("app/untracked.php"), "<?php\n").unwrap();
    let report = release(&Request::new(&app, directory.path().join("out")), &mut ()).unwrap();
    let check = report.checks.iter().find(|check| check.id == "source").unwrap();
    assert_eq!(check.outcome, Outcome::Failed);
    assert!(check.findings.iter().any(|finding| finding.place.contains("routes/web.php")));
    assert!(check.findings.iter().any(|finding| finding.text.contains("1 files are not in the commit")));
}

#[test]
fn the_page_asks_nothing_of_the_network_and_runs_nothing() {
    let released = released(Some(test_key()));
    let page = fs::read_to_string(released.out().join("evidence.html")).unwrap();
    for part in [
        "<script",
        "javascript:",
        " src=",
        "url(",
        "@import",
        "<link",
        "<iframe",
        "style=",
        " onload",
        " onclick",
    ] {
        assert!(!page.contains(part), "{part}");
    }
    assert!(page.contains("default-src 'none'"));
    for word in ["fulfil", "compliant", "certified"] {
        assert!(!page.to_lowercase().contains(word), "a check supports an article, it is not {word}");
    }
    let open = page.matches("<details").count();
    assert_eq!(open, page.matches("</details>").count());
    for (name, count) in [("svg", 3), ("table", 6)] {
        assert!(page.matches(&format!("<{name}")).count() >= count, "{name}");
        assert_eq!(page.matches(&format!("<{name}")).count(), page.matches(&format!("</{name}>")).count());
    }
    let json = fs::read_to_string(released.out().join("evidence.json")).unwrap();
    for requirement in 1..=19 {
        assert!(
            json.contains(&format!("\"id\": \"R{requirement}\""))
                && page.contains(&format!("id=\"R{requirement}\"")),
            "R{requirement}"
        );
    }
    assert!(page.len() < 500_000);
}

/// The image of `release_self` holds a real program: it is unpacked and run in a root of its own.
#[test]
fn the_image_of_lotse_itself_holds_a_program_that_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let directory = TempDir::new().unwrap();
    let app = directory.path().join("app");
    copy(&root.join("examples/apps/lotse"), &app);
    let _ = fs::remove_dir_all(app.join("program"));
    commit(&app);
    fs::create_dir_all(app.join("program")).unwrap();
    // As the example builds it, but unoptimised.
    let status = std::process::Command::new(env!("CARGO"))
        .args(["rustc", "--quiet", "--package", "lotse-examples", "--example", "verify", "--target-dir"])
        .arg(root.join("target"))
        .args(["--", "-C", "target-feature=+crt-static"])
        .current_dir(&root)
        .status()
        .unwrap();
    assert!(status.success());
    fs::copy(root.join("target/debug/examples/verify"), app.join("program/verify")).unwrap();
    fs::copy(root.join("Cargo.lock"), app.join("program/Cargo.lock")).unwrap();
    let out = directory.path().join("out");
    let report =
        release(&Request::new(&app, &out), &mut ()).unwrap_or_else(|error| panic!("{}", error.chain()));
    assert_eq!(report.verdict, Verdict::Passed, "{}", report.to_table());
    assert!(
        report.images["verify"].components.unwrap() > 50,
        "the image says which crates its program is made of"
    );
    let layout = lotse_oci::Layout::open(out.join("images"), lotse_oci::Limits::default()).unwrap();
    let image = lotse_oci::Image::load(&layout, &layout.resolve("lotse-verify").unwrap()).unwrap();
    let unpacked = directory.path().join("root");
    lotse_oci::unpack(&layout, &image, &unpacked, &lotse_oci::UnpackOptions::default()).unwrap();
    // The program verifies the release that it is in. As root directly, else as root of a user namespace.
    copy(&out, &unpacked.join("release"));
    let run = "if [ $(id -u) = 0 ]; then exec chroot \"$0\" /usr/bin/verify /release; else exec unshare -r chroot \"$0\" /usr/bin/verify /release; fi";
    let output = std::process::Command::new("sh").args(["-c", run]).arg(&unpacked).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("Everything holds, back to commit"), "{output:?}");
    let verification = verify(&VerifyRequest::new(&out), &mut ()).unwrap();
    assert!(verification.broken().is_none(), "{}", verification.to_table());
}
