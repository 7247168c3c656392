//! What the examples share: a progress bar on standard error, how an error ends a program, how a file is replaced.
#![allow(clippy::print_stderr, reason = "examples talk to people on standard error")]

pub mod images;
pub mod signing;
pub mod trust;
pub mod tuf;

use std::fs::File;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

/// Shows the steps of long work: a bar on a terminal, a line for each step elsewhere, nothing if `quiet`.
pub fn progress(quiet: bool) -> impl FnMut(usize, usize, &str) {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("[{bar:24}] {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    let is_terminal = std::io::stderr().is_terminal();
    move |step, of, what| {
        if quiet {
            return;
        }
        if is_terminal {
            bar.set_length(u64::try_from(of).unwrap_or(0));
            bar.set_position(u64::try_from(step).unwrap_or(0));
            bar.set_message(what.to_owned());
            if step == of {
                bar.finish_and_clear();
            }
        } else {
            eprintln!("{step}/{of} {what}");
        }
    }
}

/// Shows bytes that move: a bar on a terminal, nothing elsewhere or if `quiet`.
#[must_use]
pub fn bytes(quiet: bool, total: u64, what: &'static str) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total).with_message(what);
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:24}] {bytes}/{total_bytes} {bytes_per_sec}")
    {
        bar.set_style(style);
    }
    bar
}

/// Prints an error and ends with its code.
#[must_use]
pub fn fail(program: &str, message: &str, code: u8) -> ExitCode {
    for line in message.lines() {
        eprintln!("{program}: {line}");
    }
    ExitCode::from(code)
}

/// An error with its causes, on one line.
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The same for `map_err`.
#[must_use]
pub fn said(error: impl std::error::Error + 'static) -> String {
    chain(&error)
}

/// Replaces a file in one step: whoever reads it meanwhile sees the old or the new one, never half of it.
///
/// # Errors
/// Those of the file system; the old file is then untouched.
pub fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".lotse-tmp-{}", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}
