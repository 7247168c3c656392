//! Changes one scalar of a YAML file and no other byte.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use lotse_examples::replace;
use lotse_yaml::{Dialect, Error, Limits, set_scalar};

/// Changes one scalar of a YAML file: its bytes and nothing else. Prints the new text, or writes it back.
/// Exits 1 if the value cannot be changed alone (the reason is printed), 2 if the file cannot be read or written.
#[derive(Parser)]
struct Call {
    /// The file.
    file: PathBuf,
    /// JSON pointer of the value, as `/spec/replicas`.
    pointer: String,
    /// The new text.
    #[arg(allow_hyphen_values = true)]
    value: String,
    /// Which document, counted from 0.
    #[arg(long, default_value_t = 0)]
    document: usize,
    /// Write the file instead of printing it.
    #[arg(long)]
    write: bool,
    /// Print what changed as JSON instead of the text.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let call = Call::parse();
    match run(&call) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(refused)) => {
            eprintln!("{}: {refused}", call.file.display());
            ExitCode::from(1)
        }
        Err(error) => {
            eprintln!("{}: {error}", call.file.display());
            ExitCode::from(2)
        }
    }
}

fn run(call: &Call) -> std::io::Result<Result<(), Error>> {
    let source = std::fs::read(&call.file)?;
    let limits = Limits::manifests();
    let edit = match set_scalar(&source, Dialect::Kubectl, call.document, &call.pointer, &call.value, &limits)
    {
        Ok(edit) => edit,
        Err(refused) => return Ok(Err(refused)),
    };
    if call.write {
        replace(&call.file, edit.bytes())?;
    }
    if call.json {
        let change = lotse_yaml::value!({
            "offset": edit.span().start, "before": edit.before(), "after": edit.after(),
        });
        println!("{change}");
    } else if !call.write {
        std::io::stdout().write_all(edit.bytes())?;
    }
    Ok(Ok(()))
}
