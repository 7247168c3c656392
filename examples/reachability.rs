//! Who may talk to whom, from the manifests in a directory.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

use std::path::{Path, PathBuf};
use std::{io::Write, process::ExitCode};

use clap::Parser;
use lotse_netpol::{Cluster, Profile};
use lotse_yaml::Limits;

/// Prints the network reachability of everything that the YAML and JSON files below a directory declare.
/// Exits 1 if --explain finds the connection denied, 2 if something cannot be read.
#[derive(Parser)]
struct Call {
    /// The directory; all .yaml, .yml and .json files below it are read.
    directory: PathBuf,
    /// What the API leaves open: node, external or podlike.
    #[arg(long, default_value = "node")]
    profile: Profile,
    /// Print JSON: {"peers", "strings", "matrix"}, or the explanation.
    #[arg(long)]
    json: bool,
    /// Name the rules that decide one connection: a source, a destination, and as 443/TCP.
    #[arg(long, num_args = 3, value_names = ["FROM", "TO", "PORT/PROTO"])]
    explain: Option<Vec<String>>,
}

fn main() -> ExitCode {
    run(&Call::parse()).unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::from(2)
    })
}

fn run(call: &Call) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut files = Vec::new();
    collect(&call.directory, &mut files)?;
    files.sort();
    let files = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let cluster = Cluster::parse(files, &Limits::manifests())?;
    if let Some([from, to, port]) = call.explain.as_deref() {
        let (number, protocol) = port.split_once('/').ok_or("write the port as 443/TCP")?;
        let why = cluster.explain(call.profile, from, to, protocol.parse()?, number.parse()?)?;
        if call.json {
            println!("{}", why.to_value())
        } else {
            println!("{why}")
        }
        return Ok(ExitCode::from(u8::from(!why.allowed)));
    }
    if call.json {
        println!("{}", cluster.matrix(call.profile, &cluster.contrast()).to_value());
        return Ok(ExitCode::SUCCESS);
    }
    let matrix = cluster.matrix(call.profile, &[]);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} peers; what is not listed is denied", matrix.peers().len())?;
    for (from, to, ports) in matrix.allowed() {
        writeln!(out, "{from} -> {to}: {ports}")?;
    }
    for (service, pods) in cluster.services() {
        let pods: Vec<String> = pods.iter().map(|(pod, port)| format!(" {pod}:{port}")).collect();
        writeln!(out, "service {service} leads to:{}", pods.concat())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn collect(directory: &Path, files: &mut Vec<(String, Vec<u8>)>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        if path.is_dir() {
            collect(&path, files)?;
        } else if matches!(kind, "yaml" | "yml" | "json") {
            files.push((path.display().to_string(), std::fs::read(&path)?));
        }
    }
    Ok(())
}
