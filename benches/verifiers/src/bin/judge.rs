//! What `sigstore-verify` says of the cases that `sigstore_mutants` wrote: a line for each, `ID TAB ok|no TAB reason`.
//!
//! usage: judge DIRECTORY IDENTITY ISSUER

use std::path::PathBuf;
use std::{env, fs};

use sigstore_verify::{VerificationPolicy, trust_root::TrustedRoot, types::Bundle, verify};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or("DIRECTORY is missing")?);
    let identity = arguments.next().ok_or("IDENTITY is missing")?;
    let issuer = arguments.next().ok_or("ISSUER is missing")?;
    let policy = VerificationPolicy::any_identity().require_identity(identity).require_issuer(issuer);
    let artifact = fs::read(directory.join("artifact"))?;
    for line in fs::read_to_string(directory.join("cases.tsv"))?.lines() {
        let id = line.split('\t').next().unwrap_or_default();
        let judged = || -> Result<(), Box<dyn std::error::Error>> {
            let root = TrustedRoot::from_json(&fs::read_to_string(directory.join(format!("{id}.root.json")))?)?;
            let bundle = Bundle::from_json(&fs::read_to_string(directory.join(format!("{id}.bundle.json")))?)?;
            verify(artifact.as_slice(), &bundle, &policy, &root)?;
            Ok(())
        };
        match judged() {
            Ok(()) => println!("{id}\tok\t"),
            Err(error) => println!("{id}\tno\t{}", error.to_string().replace(['\t', '\n'], " ")),
        }
    }
    Ok(())
}
