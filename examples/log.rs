//! The audit log on the command line: append events, prove one, verify the whole, search.
#![allow(clippy::print_stdout, reason = "an example talks to people")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use lotse_examples::{fail, said};
use lotse_provenance::{Anchor, DirectoryStore, Event, Hit, Log, Query, Timestamp};
use lotse_sign::{Checkpoint, SignedNote, SigningKey, TlogProof, VerifyingKey};

/// An append-only audit log in a directory (C2SP tlog-tiles). Exit code 0: done, or everything holds; 1: something does not; 2: wrong
/// call or unreadable.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Append events, one JSON object on each line of FILE (or of standard input), in one step. Prints their places.
    Append {
        /// The log.
        log: PathBuf,
        /// The log's name.
        #[arg(long)]
        origin: String,
        /// The log's private key, PKCS#8 in PEM.
        #[arg(long)]
        key: PathBuf,
        /// The events.
        file: Option<PathBuf>,
    },
    /// Print the proof that an entry is in the log (C2SP tlog-proof), and with --entry write the entry beside it.
    Prove {
        /// The log.
        log: PathBuf,
        /// The place of the entry.
        index: u64,
        /// Where to write the entry's bytes.
        #[arg(long)]
        entry: Option<PathBuf>,
    },
    /// Verify a log, entry by entry and hash by hash; or, with --proof and --entry, one entry without the log.
    Verify(Verify),
    /// Find events. What is given must all fit.
    Search(Search),
    /// Write the search index for what has none yet.
    Index {
        /// The log.
        log: PathBuf,
    },
}

#[derive(Args)]
struct Verify {
    /// The log.
    #[arg(required_unless_present = "proof")]
    log: Option<PathBuf>,
    /// The log's name.
    #[arg(long)]
    origin: String,
    /// The log's public key, PEM.
    #[arg(long)]
    key: PathBuf,
    /// A checkpoint that was kept elsewhere; the log must extend it. May be given several times.
    #[arg(long)]
    seen: Vec<PathBuf>,
    /// A proof as `prove` prints it.
    #[arg(long, requires = "entry")]
    proof: Option<PathBuf>,
    /// The entry it is about.
    #[arg(long, requires = "proof")]
    entry: Option<PathBuf>,
}

#[derive(Args)]
struct Search {
    /// The log.
    log: PathBuf,
    #[arg(long)]
    commit: Option<String>,
    #[arg(long)]
    release: Option<String>,
    /// Of an image or a piece of evidence.
    #[arg(long)]
    digest: Option<String>,
    #[arg(long)]
    actor: Option<String>,
    #[arg(long)]
    environment: Option<String>,
    #[arg(long)]
    application: Option<String>,
    #[arg(long)]
    action: Option<String>,
    /// Not before this time, `2026-01-31` or `2026-01-31T12:00:00Z`.
    #[arg(long)]
    from: Option<String>,
    /// Not after this time.
    #[arg(long)]
    to: Option<String>,
    /// Read every entry, and no index.
    #[arg(long)]
    scan: bool,
    /// Print the events as JSON lines.
    #[arg(long)]
    json: bool,
}

type Outcome = Result<bool, String>;

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => fail("log", &message, 2),
    }
}

fn run(command: Command) -> Outcome {
    match command {
        Command::Append { log, origin, key, file } => append(&log, &origin, &key, file.as_deref()),
        Command::Prove { log, index, entry } => {
            let log = open(&log)?;
            if let Some(path) = entry {
                write(&path, &log.entry(index).map_err(said)?)?;
            }
            print!("{}", log.prove(index).map_err(said)?.to_text());
            Ok(true)
        }
        Command::Verify(arguments) => verify(&arguments),
        Command::Search(arguments) => search(arguments),
        Command::Index { log } => {
            println!("{} entries read", open(&log)?.index().map_err(said)?);
            Ok(true)
        }
    }
}

fn append(log: &Path, origin: &str, key: &Path, file: Option<&Path>) -> Outcome {
    let key = SigningKey::from_pem(&read(key)?).map_err(said)?;
    let text = match file {
        Some(file) => read(file)?,
        None => {
            std::io::read_to_string(std::io::stdin()).map_err(|error| format!("standard input: {error}"))?
        }
    };
    let mut events = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let event = Event::parse(line.as_bytes());
        events.push(event.map_err(|error| format!("line {}: {}", number + 1, said(error)))?);
    }
    let places = open(log)?.append_all(&events, origin, &key).map_err(said)?;
    for place in places {
        println!("{place}");
    }
    Ok(true)
}

fn verify(arguments: &Verify) -> Outcome {
    let key = VerifyingKey::from_pem(&read(&arguments.key)?).map_err(said)?;
    if let (Some(proof), Some(entry)) = (&arguments.proof, &arguments.entry) {
        let entry = fs::read(entry).map_err(|error| format!("{}: {error}", entry.display()))?;
        let proof = TlogProof::parse(&read(proof)?).map_err(said)?;
        return Ok(match proof.verify(&entry, &arguments.origin, &key) {
            Ok(checkpoint) => {
                println!(
                    "entry {} is in {}, which has {} entries",
                    proof.index(),
                    checkpoint.origin,
                    checkpoint.size
                );
                true
            }
            Err(error) => {
                println!("{}", said(error));
                false
            }
        });
    }
    let log = open(arguments.log.as_deref().unwrap_or(Path::new(".")))?;
    let mut seen = Vec::new();
    for path in &arguments.seen {
        let note = SignedNote::parse(&read(path)?).map_err(said)?;
        let checkpoint = Checkpoint::verify(&note, &arguments.origin, &key).map_err(said)?;
        seen.push(Anchor { checkpoint, time: None });
    }
    let audit = log.audit(&arguments.origin, &key, &seen).map_err(said)?;
    for finding in &audit.findings {
        println!("{finding}");
    }
    let holds = audit.findings.is_empty();
    if let Some(checkpoint) = audit.checkpoint.filter(|_| holds) {
        println!(
            "{} entries are as they were signed, and extend {} checkpoints seen",
            checkpoint.size,
            seen.len()
        );
    }
    Ok(holds)
}

fn search(arguments: Search) -> Outcome {
    let log = open(&arguments.log)?;
    let time = |text: Option<String>| text.map(|text| text.parse::<Timestamp>().map_err(said)).transpose();
    let mut query = Query::default();
    query.commit = arguments.commit;
    query.release = arguments.release;
    query.digest = arguments.digest.map(|text| text.parse().map_err(said)).transpose()?;
    query.actor = arguments.actor;
    query.environment = arguments.environment;
    query.application = arguments.application;
    query.action = arguments.action;
    (query.from, query.to) = (time(arguments.from)?, time(arguments.to)?);
    let hits = if arguments.scan { log.scan(&query) } else { log.search(&query) }.map_err(said)?;
    for Hit { index, event } in &hits {
        if arguments.json {
            println!("{}", String::from_utf8_lossy(&event.to_entry().map_err(said)?));
        } else {
            let release = event.release.as_deref().or(event.commit.as_deref()).unwrap_or("-");
            println!(
                "{index:>8}  {}  {:<10} {:<12} {release}  by {}",
                event.time, event.action, event.application, event.actor.id
            );
        }
    }
    Ok(!hits.is_empty())
}

fn open(path: &Path) -> Result<Log<DirectoryStore>, String> {
    Log::open(path).map_err(said)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, content: &[u8]) -> Result<(), String> {
    lotse_examples::replace(path, content).map_err(|error| format!("{}: {error}", path.display()))
}
