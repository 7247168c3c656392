//! What is inside a directory or an image: its packages as a table, CycloneDX or SPDX.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use lotse_release::inventory;
use lotse_sbom::{DocumentInfo, Inventory, Subject, Timestamp};

/// Lists the packages in a directory or an image. Exits 1 if a package manager's file was not read, 2 if one is broken.
#[derive(Parser)]
struct Call {
    /// The directory, or the OCI layout.
    directory: PathBuf,
    /// The image in the layout, by tag or digest, if there are several.
    #[arg(long)]
    image: Option<String>,
    /// What to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// The name of what is described, in CycloneDX and SPDX documents.
    #[arg(long, default_value = "directory")]
    name: String,
    /// The time in the document, in seconds since 1970: an argument, so that the same input gives the same bytes.
    #[arg(long, default_value_t = 0)]
    time: i64,
    /// Plain JSON with everything known, also what was not read.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Cyclonedx,
    Spdx,
}

fn main() -> ExitCode {
    let call = Call::parse();
    let Ok(created) = Timestamp::from_unix(call.time) else {
        return refuse("--time is no time from 1970 to 9999");
    };
    let inventory = match inventory(&call.directory, call.image.as_deref()) {
        Ok(inventory) => inventory,
        Err(error) => return refuse(&error.chain()),
    };
    let subject = Subject { name: call.name, version: None, digest: None, purl: None };
    let info = DocumentInfo { subject, created, author: "unknown".to_owned() };
    match call.format {
        _ if call.json => print!("{}", lotse_sbom::inventory_json(&inventory)),
        Format::Table => table(&inventory),
        Format::Cyclonedx => print!("{}", lotse_sbom::cyclonedx(&inventory, &info)),
        Format::Spdx => print!("{}", lotse_sbom::spdx(&inventory, &info)),
    }
    for file in inventory.not_read() {
        eprintln!("not read: {}: {}", file.path, file.reason);
    }
    for record in inventory.problems() {
        eprintln!("left out: {}:{}: {}", record.path, record.line, record.reason);
    }
    if inventory.is_complete() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn refuse(error: &str) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(2)
}

fn table(inventory: &Inventory) {
    for component in inventory.components() {
        let version = component.version.as_deref().unwrap_or("-");
        let licences: Vec<String> = component.licences.iter().map(ToString::to_string).collect();
        let kind = component.kind.as_str();
        println!("{kind:<9} {:<40} {version:<24} {}", component.name, licences.join(", "));
    }
    println!("{} components", inventory.components().len());
}
