//! The other side: cosign, by its command line.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::judge::Outcome;
use super::stack::path;

/// One cosign, run in one directory.
pub(crate) struct Cosign {
    program: PathBuf,
    directory: PathBuf,
    variables: Vec<(&'static str, String)>,
}

impl Cosign {
    pub(crate) fn new(program: PathBuf, directory: &Path) -> Self {
        Self { program, directory: directory.to_owned(), variables: Vec::new() }
    }

    /// With one more environment variable.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Runs it with what stands between the spaces of `line`; an answer that takes two minutes is none.
    pub(crate) fn run(&self, line: impl AsRef<str>) -> Outcome {
        let mut command = Command::new("timeout");
        command
            .arg("120")
            .arg(&self.program)
            .args(line.as_ref().split_whitespace())
            .current_dir(&self.directory)
            // Nothing of the machine's own: no configuration, no cache of trusted roots, no proxy.
            .env_clear()
            .env("PATH", path())
            .env("HOME", &self.directory)
            .env("COSIGN_PASSWORD", "")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        let output = command.output().unwrap();
        let said =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        if output.status.success() { Ok(said) } else { Err(said) }
    }
}
