//! The TUF repository of the sandbox is accepted by clients that know nothing of it, and its faults are not; and our client brings
//! what cosign's bundles are verified with.
//!
//! Peers: a `python3` that can import tuf (PyPI tuf 7.0.1), `cosign` 3.
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

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, thread};

use lotse_sign::sandbox::{Sandbox, TufFault, TufRepository};
use lotse_sign::tuf::{SIGNING_CONFIG, TRUSTED_ROOT};
use lotse_sign::{Claims, Content, SubjectName};
use lotse_tests::peer;

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const WORKFLOW: &str = "https://github.com/example/app/.github/workflows/release.yml@refs/tags/v1";
const TEAM: &str = "team/notes.txt";

/// For each line of standard input (state directory, base URL, first root, target): updates, and prints `ok` with the length of the
/// target or `no` with the reason.
const PYTHON: &str = r#"
import json, os, sys, urllib.parse
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater

class Files(FetcherInterface):
    def _fetch(self, url):
        path = urllib.parse.unquote(url[len("file://"):])
        if not os.path.isfile(path):
            raise DownloadHTTPError("none", 404)
        return iter([open(path, "rb").read()])

for line in sys.stdin:
    state, url, root, target = json.loads(line)
    try:
        for name in ("metadata", "targets"):
            os.makedirs(os.path.join(state, name), exist_ok=True)
        updater = Updater(os.path.join(state, "metadata"), url, os.path.join(state, "targets"), url + "targets/", Files(),
                          bootstrap=open(root, "rb").read())
        updater.refresh()
        info = updater.get_targetinfo(target)
        if info is None:
            raise KeyError("no such target")
        print("ok", os.path.getsize(updater.download_target(info)))
    except Exception as error:
        print("no", type(error).__name__, str(error)[:200].replace("\n", " "))
"#;

/// The sandbox's clock stands shortly before the clients', which ask their own.
fn sandbox() -> Sandbox {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    Sandbox::new("tuf peers", lotse_sign::Time::from_seconds(i64::try_from(now).unwrap() - 60))
}

fn write(directory: &Path, repository: &TufRepository) -> PathBuf {
    for (path, bytes) in repository.files() {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let root = directory.join("first-root.json");
    fs::write(&root, repository.initial_root()).unwrap();
    root
}

/// Serves a directory over HTTP until the test ends.
fn serve(directory: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, directory) = (stream.unwrap(), directory.clone());
            thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let Some(Ok(first)) = lines.next() else { return };
                while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
                let path = first.split(' ').nth(1).unwrap().trim_start_matches('/');
                let (status, body) = match fs::read(directory.join(path)) {
                    Ok(body) => ("200 OK", body),
                    Err(_) => ("404 Not Found", Vec::new()),
                };
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(&[head.as_bytes(), &body].concat());
            });
        }
    });
    url
}

fn python() -> Option<PathBuf> {
    let python = peer("python3")?;
    let has_tuf = Command::new(&python).args(["-c", "import tuf"]).output().unwrap().status.success();
    if !has_tuf {
        assert!(
            std::env::var("LOTSE_REQUIRE_PEERS").as_deref() != Ok("1"),
            "{} has no tuf",
            python.display()
        );
        eprintln!("skipped: {} has no tuf", python.display());
    }
    has_tuf.then_some(python)
}

#[test]
fn python_tuf_accepts_the_repository_of_the_sandbox_and_not_its_faults() {
    let Some(python) = python() else { return };
    let directory = tempfile::tempdir().unwrap();
    let sigstore = sandbox();
    let mut lines = Vec::new();
    let mut ask = |name: &str, faults: &[TufFault]| {
        let mut repository = sigstore.tuf_with_faults(faults.iter().copied()).unwrap();
        let state = directory.path().join(name).join("state");
        for number in ["1", "2"] {
            let served = directory.path().join(name).join(number);
            let root = write(&served, &repository);
            let url = format!("file://{}/", served.display());
            // What it has it would not fetch again.
            let target = if number == "1" { TRUSTED_ROOT } else { TEAM };
            lines.push(serde_json::json!([state, url, root, target]).to_string());
            repository.advance().unwrap();
        }
    };
    ask("good", &[]);
    for fault in TufFault::ALL {
        ask(&format!("{fault:?}"), &[fault]);
    }
    let input = directory.path().join("input");
    fs::write(&input, lines.join("\n")).unwrap();
    let output =
        Command::new(python).args(["-c", PYTHON]).stdin(fs::File::open(&input).unwrap()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<&str> = said.lines().collect();
    assert_eq!(answers.len(), lines.len(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = std::iter::once(None).chain(TufFault::ALL.into_iter().map(Some));
    for (fault, pair) in names.zip(answers.chunks(2)) {
        assert!(pair[0].starts_with("ok"), "{fault:?}, first state: {}", pair[0]);
        let accepted = pair[1].starts_with("ok");
        // It counts key ids, not keys (https://github.com/theupdateframework/specification, 5.3.4: "each KEY MUST only contribute
        // one SIGNATURE").
        let expected = matches!(fault, None | Some(TufFault::RootSignedByOneKeyUnderTwoIds));
        assert_eq!(accepted, expected, "{fault:?}: {}", pair[1]);
    }
}

#[test]
fn cosign_verifies_with_what_the_repository_of_the_sandbox_delivers() {
    let Some(cosign) = peer("cosign") else { return };
    let directory = tempfile::tempdir().unwrap();
    let sigstore = sandbox();
    let mut repository = sigstore.tuf().unwrap();
    let served = directory.path().join("repository");
    let root = write(&served, &repository);
    let mirror = serve(served.clone());
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&cosign);
        command.args(arguments).env("TUF_ROOT", directory.path().join("tuf")).env("HOME", directory.path());
        command.current_dir(directory.path()).output().unwrap()
    };
    let first = run(&["initialize", "--mirror", &mirror, "--root", root.to_str().unwrap()]);
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));

    let mut claims = Claims::new(SubjectName::Uri(WORKFLOW.to_owned()));
    claims.issuer = Some(ISSUER.to_owned());
    let bundle = sigstore.sign(Content::Artifact(b"artifact"), &claims).unwrap().to_json().unwrap();
    fs::write(directory.path().join("bundle.json"), bundle).unwrap();
    fs::write(directory.path().join("artifact"), b"artifact").unwrap();
    let verify = || {
        run(&[
            "verify-blob",
            "--bundle",
            "bundle.json",
            "--certificate-identity",
            WORKFLOW,
            "--certificate-oidc-issuer",
            ISSUER,
            "artifact",
        ])
    };
    // No --trusted-root: it is what TUF delivered.
    let verified = verify();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));

    // The next state, with a root key replaced and another trusted root, which does not know who signed.
    let another = Sandbox::new("another", sigstore.now());
    repository.set_target(TRUSTED_ROOT, &another.trusted_root_json());
    repository.set_target(
        SIGNING_CONFIG,
        br#"{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}"#,
    );
    repository.advance().unwrap();
    write(&served, &repository);
    let second = run(&["initialize", "--mirror", &mirror, "--root", root.to_str().unwrap()]);
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stderr));
    assert!(!verify().status.success(), "the trusted root of the first state is still believed");
}
