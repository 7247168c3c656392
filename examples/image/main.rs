//! Builds, moves and looks at images, in OCI layouts and registries.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to people")]

mod build;
mod look;
mod transfer;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lotse_oci::Error;

/// Builds, moves and looks at images. A place is oci:PATH:TAG (a layout) or HOST/NAME:TAG (a registry).
///
/// Ends with 0 if all is well, 1 if images differ or something is not there, 2 for a wrong call or an image that is
/// refused, 3 if network or storage failed.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make an image from a directory.
    Build(Box<build::Build>),
    /// Copy an image from a layout to a registry.
    Push(transfer::Transfer),
    /// Copy an image from a registry to a layout.
    Pull(transfer::Transfer),
    /// Copy an image from any place to any other.
    Copy(transfer::Transfer),
    /// Serve a registry for tests on this machine until the program is ended.
    Serve(transfer::Serve),
    /// Write the files of an image into a new directory.
    Unpack(look::Unpack),
    /// List the files that a container of the image sees.
    Ls(look::Ls),
    /// Show where the bytes of an image are, beside another one's.
    Size(look::Size),
    /// Say where two images differ, and why.
    Diff(look::Diff),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().verb {
        Verb::Build(verb) => verb.run(),
        Verb::Push(verb) => verb.run(transfer::push),
        Verb::Pull(verb) => verb.run(transfer::pull),
        Verb::Copy(verb) => verb.run(transfer::any),
        Verb::Serve(verb) => verb.run(),
        Verb::Unpack(verb) => verb.run(),
        Verb::Ls(verb) => verb.run(),
        Verb::Size(verb) => verb.run(),
        Verb::Diff(verb) => verb.run(),
    };
    outcome
        .unwrap_or_else(|error| lotse_examples::fail("image", &lotse_examples::chain(&error), code(&error)))
}

fn code(error: &Error) -> u8 {
    match error {
        Error::NotFound { .. } => 1,
        Error::Registry(refusal) if refusal.status == 404 => 1,
        Error::Io { .. } | Error::Registry { .. } | Error::Broken { .. } => 3,
        _ => 2,
    }
}
