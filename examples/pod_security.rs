//! Judges pods and workloads by the Pod Security Standards.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

use std::io::Read;
use std::process::ExitCode;

use clap::Parser;
use lotse_gitops_manifest::Object;
use lotse_guardrails::{Error, Level, Version, pod_security, pod_security_admitted};
use lotse_yaml::{Limits, Value};

/// Reads a stream of pods and workloads (YAML or JSON) from standard input and judges each by the Pod Security
/// Standards. Exits 1 if one is not allowed, 2 if one cannot be read.
#[derive(Parser)]
struct Call {
    /// privileged, baseline or restricted.
    #[arg(long)]
    level: Level,
    /// v1.N, or latest.
    #[arg(long, default_value = "latest")]
    version: Version,
    /// Judge what the API server sees after it filled in its defaults.
    #[arg(long)]
    admitted: bool,
    /// One JSON object per line, with reasons and details.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let call = Call::parse();
    let mut bytes = Vec::new();
    let read = std::io::stdin().read_to_end(&mut bytes).map_err(|error| error.to_string());
    let limits = Limits::manifests();
    let objects =
        read.and_then(|_| Object::parse_all("stdin", &bytes, &limits).map_err(|error| error.to_string()));
    let objects = match objects {
        Ok(objects) => objects,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let mut code = 0;
    for object in &objects {
        let judge = if call.admitted { pod_security_admitted } else { pod_security };
        let (line, text, found) = match judge(object, call.level, call.version) {
            Ok(verdict) if verdict.allowed() => (verdict.to_value(), "allowed".to_owned(), 0),
            Ok(verdict) => (verdict.to_value(), format!("violates {}", verdict.message()), 1),
            Err(error @ Error::NoPods(_)) => {
                (lotse_yaml::value!({ "skipped": error.to_string() }), error.to_string(), 0)
            }
            Err(error) => (lotse_yaml::value!({ "error": error.to_string() }), error.to_string(), 2),
        };
        code = code.max(found);
        if call.json {
            let mut row = lotse_yaml::value!({ "kind": object.kind(), "namespace": object.namespace(), "name": object.name() });
            if let (Some(row), Value::Object(line)) = (row.as_object_mut(), line) {
                row.extend(line);
            }
            println!("{row}");
        } else {
            println!("{object}: {text}");
        }
    }
    ExitCode::from(code)
}
