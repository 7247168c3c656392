use std::collections::BTreeMap;

use lotse_digest::Digest;
use serde::{Deserialize, Serialize};

use super::{Evidence, LogEvidence, LoggedEntry, Start};
use crate::Error;

const BLOCK: usize = 512;
/// Bytes of an archive.
const BYTES: usize = 64 << 20;
const FACTS: &str = "evidence.json";
const WHAT: &str = "evidence archive";

/// What is no bytes of its own.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    /// The version of this format: 1.
    version: u32,
    start: Start,
    evidence: Evidence,
}

impl Evidence {
    /// Everything that is needed to walk the chain again, offline, in one file: a tar with `evidence.json`, and beside it documents,
    /// bundles and log entries with their proofs, byte for byte. The same evidence gives the same bytes.
    ///
    /// Whom to believe is not in it: who checks brings the rules.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if the log's events are there without proofs, which others could not verify; [`Error::Limit`] over 64 MiB.
    pub fn to_archive(&self, start: &Start) -> Result<Vec<u8>, Error> {
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let facts = Facts { version: 1, start: start.clone(), evidence: self.clone() };
        let json = serde_json::to_vec_pretty(&facts).map_err(|error| Error::malformed(WHAT, error))?;
        files.insert(FACTS.to_owned(), json);
        for document in &self.documents {
            files.insert(format!("documents/{}.json", Digest::sha256(document).encoded()), document.clone());
        }
        for (number, bundle) in self.bundles.iter().enumerate() {
            files.insert(format!("bundles/{number:04}.sigstore.json"), bundle.clone());
        }
        match &self.log {
            None => {}
            Some(LogEvidence::Proved(entries)) => {
                for (number, LoggedEntry { entry, proof }) in entries.iter().enumerate() {
                    files.insert(format!("log/{number:04}.entry"), entry.clone());
                    files.insert(format!("log/{number:04}.tlog-proof"), proof.clone().into_bytes());
                }
            }
            Some(LogEvidence::Verified(_)) => {
                return Err(Error::malformed(
                    WHAT,
                    "the log's events have no proofs that others could verify",
                ));
            }
        }
        let mut tar = Vec::new();
        for (name, content) in &files {
            tar.extend_from_slice(&header(name, content.len())?);
            tar.extend_from_slice(content);
            tar.resize(tar.len().next_multiple_of(BLOCK), 0);
        }
        tar.resize(tar.len() + 2 * BLOCK, 0);
        if tar.len() > BYTES {
            return Err(Error::Limit { what: "bytes of an evidence archive".to_owned(), limit: BYTES });
        }
        Ok(tar)
    }

    /// Reads an archive: where to begin, and the evidence. Only archives as [`to_archive`](Self::to_archive) writes them are read,
    /// byte for byte, so that two readers cannot see two things in one.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`], [`Error::Limit`] over 64 MiB.
    pub fn from_archive(bytes: &[u8]) -> Result<(Start, Self), Error> {
        let fault = |reason: &str| Error::malformed(WHAT, reason);
        if bytes.len() > BYTES {
            return Err(Error::Limit { what: "bytes of an evidence archive".to_owned(), limit: BYTES });
        }
        let mut files = files(bytes)?;
        let facts = files.remove(FACTS).ok_or_else(|| fault("it has no evidence.json"))?;
        let facts: Facts = serde_json::from_slice(facts).map_err(|error| Error::malformed(WHAT, error))?;
        if facts.version != 1 {
            return Err(fault(&format!("its version is {}, this reads 1", facts.version)));
        }
        let Facts { start, mut evidence, .. } = facts;
        let (mut log, mut proofs) = (BTreeMap::new(), BTreeMap::new());
        for (name, content) in files {
            if name.starts_with("documents/") {
                evidence.documents.push(content.to_vec());
            } else if name.starts_with("bundles/") {
                evidence.bundles.push(content.to_vec());
            } else if let Some(number) =
                name.strip_prefix("log/").and_then(|name| name.strip_suffix(".entry"))
            {
                log.insert(number, content);
            } else if let Some(number) =
                name.strip_prefix("log/").and_then(|name| name.strip_suffix(".tlog-proof"))
            {
                proofs.insert(number, content);
            } else {
                return Err(fault(&format!("{name:?} does not belong in it")));
            }
        }
        let mut entries = Vec::new();
        for (number, entry) in log {
            let proof = proofs.remove(number).ok_or_else(|| fault("a log entry without proof"))?;
            let proof = String::from_utf8(proof.to_vec()).map_err(|error| Error::malformed(WHAT, error))?;
            entries.push(LoggedEntry { entry: entry.to_vec(), proof });
        }
        evidence.log = (!entries.is_empty()).then_some(LogEvidence::Proved(entries));
        if evidence.to_archive(&start)? != bytes {
            return Err(fault("it is not written as this version writes it"));
        }
        Ok((start, evidence))
    }
}

/// The files of a tar. What `header` does not write is found out when the whole is compared.
fn files(bytes: &[u8]) -> Result<BTreeMap<&str, &[u8]>, Error> {
    let cut = || Error::malformed(WHAT, "it is cut off, or no tar");
    let mut files = BTreeMap::new();
    let mut rest = bytes;
    loop {
        let (header, after) = rest.split_first_chunk::<BLOCK>().ok_or_else(cut)?;
        let (name, _) = header.split_first_chunk::<100>().ok_or_else(cut)?;
        let name = std::str::from_utf8(name).map_err(|_| cut())?.trim_end_matches('\0');
        if name.is_empty() {
            return Ok(files);
        }
        let size =
            header.get(124..135).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(cut)?;
        let size = usize::from_str_radix(size, 8).map_err(|_| cut())?;
        let content = after.get(..size).ok_or_else(cut)?;
        if files.insert(name, content).is_some() {
            return Err(Error::malformed(WHAT, format!("{name:?} is in it twice")));
        }
        rest = after.get(size.next_multiple_of(BLOCK)..).ok_or_else(cut)?;
    }
}

/// The header of a plain file (POSIX ustar), owned by nobody and of no time.
fn header(name: &str, size: usize) -> Result<[u8; BLOCK], Error> {
    let mut header = [0_u8; BLOCK];
    let mut put = |at: usize, text: &str| {
        for (to, from) in header.iter_mut().skip(at).zip(text.bytes()) {
            *to = from;
        }
    };
    if name.len() >= 100 {
        return Err(Error::Limit { what: "bytes of a name in an evidence archive".to_owned(), limit: 99 });
    }
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{size:011o}"));
    put(136, "00000000000");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let mut put = |at: usize, text: &str| {
        for (to, from) in header.iter_mut().skip(at).zip(text.bytes()) {
            *to = from;
        }
    };
    put(148, &format!("{sum:06o}\0 "));
    Ok(header)
}
