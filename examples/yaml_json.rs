//! The documents of a file as kubectl reads them, one line of JSON each.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use lotse_yaml::{Dialect, Limits, Stream, Value};

/// Prints the documents of a YAML or JSON file as kubectl reads them, one line of JSON each,
/// or the error with line and column. Exits 1 if the reader refuses the file, 2 if it cannot be opened.
#[derive(Parser)]
struct Call {
    /// The file; `-` reads standard input.
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Whose reading is asked for.
    #[arg(long, value_enum, default_value = "kubectl")]
    dialect: Reader,
    /// Take any documents, not only Kubernetes objects with `apiVersion` and `kind`.
    #[arg(long)]
    any: bool,
    /// Print an error as one JSON object on standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Reader {
    Kubectl,
    ApiServer,
    Yaml12,
}

fn main() -> ExitCode {
    let call = Call::parse();
    let mut bytes = Vec::new();
    let read = match call.file.to_str() {
        Some("-") => std::io::stdin().read_to_end(&mut bytes),
        _ => std::fs::File::open(&call.file).and_then(|mut file| file.read_to_end(&mut bytes)),
    };
    if let Err(error) = read {
        eprintln!("{}: {error}", call.file.display());
        return ExitCode::from(2);
    }
    let dialect = match call.dialect {
        Reader::Kubectl => Dialect::Kubectl,
        Reader::ApiServer => Dialect::ApiServer,
        Reader::Yaml12 => Dialect::Yaml12,
    };
    let result = Stream::parse(&bytes, dialect, &Limits::manifests()).and_then(|stream| {
        let values = if call.any { stream.values() } else { stream.objects() }?;
        Ok((values, stream.dropped().len()))
    });
    match result {
        Ok((values, dropped)) => {
            values.iter().for_each(|value| println!("{}", value.to_json()));
            if dropped > 0 {
                eprintln!("note: this reader passes over {dropped} part(s) of the file in silence");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            if call.json {
                let (line, column) = error.position().map(|at| (at.line, at.column)).unzip();
                let object =
                    lotse_yaml::value!({ "error": error.to_string(), "line": line, "column": column });
                println!("{}", Value::to_json(&object));
            }
            eprintln!("{}:{error}", call.file.display());
            ExitCode::from(1)
        }
    }
}
