//! What the examples share: a progress bar on standard error, and how an error ends a program.
#![allow(clippy::print_stderr, reason = "examples talk to people on standard error")]

use std::io::IsTerminal as _;
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

/// Prints an error and ends with its code.
#[must_use]
pub fn fail(program: &str, message: &str, code: u8) -> ExitCode {
    for line in message.lines() {
        eprintln!("{program}: {line}");
    }
    ExitCode::from(code)
}
