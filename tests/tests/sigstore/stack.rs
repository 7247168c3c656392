//! `tests/sigstore/stack`, for as long as it is held.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use lotse_tests::peer;

/// A whole Sigstore of real servers. Its processes end when this is dropped or this process ends, whichever way.
pub(crate) struct Stack {
    child: Child,
    held: Option<ChildStdin>,
    /// Trusted roots, signing configurations, keys.
    pub(crate) directory: PathBuf,
    addresses: BTreeMap<String, String>,
    python: PathBuf,
}

impl Stack {
    /// `None` if one of its programs is missing.
    pub(crate) fn start() -> Option<Self> {
        for program in
            ["cosign", "docker-registry", "fulcio", "posix", "rekor1", "timestamp-server", "unshare", "curl"]
        {
            peer(program)?;
        }
        let python = python()?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("sigstore/stack");
        // A port may be taken between the moment it is found free and the server's start.
        for _ in 0..3 {
            let mut child = Command::new(&script)
                .env("PATH", path())
                .env("PYTHON", &python)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut said = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
            let held = child.stdin.take();
            if said.is_empty() {
                drop(held);
                child.wait().unwrap();
                continue;
            }
            let directory = PathBuf::from(said.trim_end());
            let lines = fs::read_to_string(directory.join("addresses")).unwrap();
            let pairs = lines.lines().map(|line| line.split_once('=').unwrap());
            let addresses = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            return Some(Self { child, held, directory, addresses, python });
        }
        panic!("{} does not start", script.display());
    }

    /// The address, by its name in the stack's list.
    pub(crate) fn address(&self, name: &str) -> &str {
        &self.addresses[name]
    }

    /// A file of the stack.
    pub(crate) fn file(&self, name: &str) -> String {
        self.directory.join(name).to_str().unwrap().to_owned()
    }

    /// An identity token as `github` or `gitlab` writes it.
    pub(crate) fn token(&self, kind: &str) -> String {
        let mut command = Command::new(&self.python);
        let output = command.args(self.address("TOKEN").split(' ')).arg(kind).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        drop(self.held.take());
        let _ = self.child.wait();
    }
}

/// Where peers are looked for, as one `PATH`.
pub(crate) fn path() -> std::ffi::OsString {
    let places = ["LOTSE_PEERS", "PATH"].into_iter().filter_map(std::env::var_os);
    std::env::join_paths(places.flat_map(|list| std::env::split_paths(&list).collect::<Vec<_>>())).unwrap()
}

/// The Python with the packages that the stack needs: CI's, which stands beside its programs, or the machine's.
fn python() -> Option<PathBuf> {
    let python = peer("python3")?;
    let packages = ["-c", "import asn1crypto, cryptography"];
    if Command::new(&python).args(packages).stderr(Stdio::null()).status().unwrap().success() {
        return Some(python);
    }
    peer("python3 with asn1crypto and cryptography")
}
