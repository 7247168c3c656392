use std::collections::{BTreeMap, BTreeSet};

use super::{Checkpoint, NoteKey, NoteKeyKind, SignedNote, key};
use crate::Error;

const BYTES: usize = 1 << 20;
/// Logs, and witnesses and groups together, of a policy; the specification recommends at least 32.
const LINES: usize = 256;

/// Which logs are known and which witnesses must have cosigned (C2SP tlog-policy).
///
/// ```
/// # use lotse_sign::{NoteKey, Scheme, SigningKey};
/// # let key = |n| SigningKey::from_secret(Scheme::Ed25519, &[n; 32]).map(|key| key.verifying_key());
/// let (log, one, two) =
///     (NoteKey::signer("log.example", &key(1)?)?, NoteKey::witness("w1", &key(2)?)?, NoteKey::witness("w2", &key(3)?)?);
/// let policy = format!("log {log}\nwitness one {one}\nwitness two {two}\ngroup both all one two\nquorum both\n");
/// assert_eq!(lotse_sign::WitnessPolicy::parse(policy.as_bytes())?.logs()[0], log);
/// # Ok::<(), lotse_sign::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct WitnessPolicy {
    logs: Vec<NoteKey>,
    /// In the order of the file, so that members stand before their groups.
    members: Vec<(Name, Member)>,
    quorum: Option<Name>,
}

/// Names are octets: two that look alike are two.
type Name = Vec<u8>;

#[derive(Clone, Debug)]
enum Member {
    Witness(Box<NoteKey>),
    Group { threshold: usize, members: Vec<Name> },
}

/// A checkpoint that satisfies a policy. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Witnessed {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Who cosigned it and when (seconds since 1970), by the witnesses' key names. Whether a time lies too far back or in the
    /// future is the caller's to say.
    pub cosigned: BTreeMap<String, u64>,
}

impl WitnessPolicy {
    /// Reads a policy file.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] with the number of the line; [`Error::Unsupported`] for keys of types we do not verify, such as
    /// ML-DSA-44; [`Error::Limit`] over 1 MiB, 256 logs, or 256 witnesses and groups.
    pub fn parse(file: &[u8]) -> Result<Self, Error> {
        if file.len() > BYTES {
            return Err(Error::Limit { what: "bytes of a witness policy", limit: BYTES });
        }
        let allowed = |byte: &u8| matches!(byte, b'\t' | b'\n' | 0x20..=0x7e | 0x80..);
        if let Some(at) = file.iter().position(|byte| !allowed(byte)) {
            return Err(Error::malformed("witness policy", format!("a control character at byte {at}")));
        }
        // A file that was cut inside a name could mean something else and still read.
        let Some(lines) = file.strip_suffix(b"\n") else {
            return Err(Error::malformed("witness policy", "its last line does not end in a newline"));
        };
        let mut parser = Parser::default();
        for (number, line) in lines.split(|byte| *byte == b'\n').enumerate() {
            let items: Vec<&[u8]> =
                line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|item| !item.is_empty()).collect();
            if items.first().is_some_and(|item| !item.starts_with(b"#")) {
                parser.line(&items).map_err(|error| at_line(number + 1, error))?;
            }
        }
        let quorum = parser.quorum.ok_or_else(|| fault("it has no line \"quorum\""))?;
        Ok(Self { logs: parser.logs, members: parser.members, quorum })
    }

    /// The logs it knows.
    #[must_use]
    pub fn logs(&self) -> &[NoteKey] {
        &self.logs
    }

    /// The witnesses it knows, in the order of the file.
    pub fn witnesses(&self) -> impl Iterator<Item = &NoteKey> {
        self.members.iter().filter_map(|(_, member)| match member {
            Member::Witness(key) => Some(key.as_ref()),
            Member::Group { .. } => None,
        })
    }

    /// The checkpoint in a note, if one of the policy's logs signed it under its own origin and the quorum cosigned it.
    ///
    /// # Errors
    ///
    /// [`Error::Signature`] if no listed log signed, or a line under the name and id of a listed log or witness is false;
    /// [`Error::Mismatch`] if the quorum is not met, or the policy lists no log (then use [`verify_of`](Self::verify_of)).
    pub fn verify(&self, note: &SignedNote) -> Result<Witnessed, Error> {
        let checkpoint = Checkpoint::parse(note.unverified_text())?;
        let mut signed =
            self.logs.iter().filter(|log| log.name() == checkpoint.origin && signed_by(note, log));
        let log = signed.next().ok_or_else(|| Error::Mismatch {
            what: "log that signed the checkpoint",
            expected: listed(self.logs.iter().map(|log| log.name().to_owned())),
            actual: format!("origin {}", checkpoint.origin),
        })?;
        for other in signed {
            note.verify(other.name(), other.key())?;
        }
        self.verify_of(note, log)
    }

    /// The same for one log that is known from elsewhere; which logs the policy lists does not matter.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_of(&self, note: &SignedNote, log: &NoteKey) -> Result<Witnessed, Error> {
        let checkpoint = Checkpoint::verify(note, log.name(), log.key())?;
        let mut cosigned = BTreeMap::new();
        let mut good: BTreeSet<&Name> = BTreeSet::new();
        // Members stand before the groups that name them, so one pass decides every group.
        for (name, member) in &self.members {
            let counts = match member {
                Member::Witness(key) if signed_by(note, key) => {
                    let time = note.verify_cosignature(key.name(), key.key())?;
                    cosigned.insert(key.name().to_owned(), time);
                    true
                }
                Member::Witness(_) => false,
                Member::Group { threshold, members } => {
                    members.iter().filter(|member| good.contains(member)).count() >= *threshold
                }
            };
            if counts {
                good.insert(name);
            }
        }
        match &self.quorum {
            Some(quorum) if !good.contains(quorum) => Err(Error::Mismatch {
                what: "quorum of witnesses",
                expected: self.explain(quorum),
                actual: listed(cosigned.into_keys()),
            }),
            _ => Ok(Witnessed { checkpoint, cosigned }),
        }
    }

    /// What a name asks for, in words.
    fn explain(&self, name: &Name) -> String {
        let text = String::from_utf8_lossy(name).into_owned();
        match self.members.iter().find(|(other, _)| other == name) {
            Some((_, Member::Group { threshold, members })) => {
                format!(
                    "{text} ({threshold} of {})",
                    listed(members.iter().map(|member| String::from_utf8_lossy(member).into_owned()))
                )
            }
            _ => text,
        }
    }
}

#[derive(Default)]
struct Parser {
    logs: Vec<NoteKey>,
    members: Vec<(Name, Member)>,
    used: BTreeSet<Name>,
    quorum: Option<Option<Name>>,
}

impl Parser {
    fn line(&mut self, items: &[&[u8]]) -> Result<(), Error> {
        match items {
            [b"log", key] | [b"log", key, _] => {
                let key = note_key(key, NoteKeyKind::Note)?;
                if self.logs.iter().any(|log| log.key() == key.key()) {
                    return Err(fault("the log's key is there already"));
                }
                limit("logs of a witness policy", self.logs.len())?;
                self.logs.push(key);
                Ok(())
            }
            [b"witness", name, key] | [b"witness", name, key, _] => {
                let key = note_key(key, NoteKeyKind::Cosignature)?;
                let raw = key::ed25519(key.key())?;
                for (_, member) in &self.members {
                    if let Member::Witness(other) = member
                        && key::ed25519(other.key())? == raw
                    {
                        return Err(fault("the witness' key is there already"));
                    }
                }
                self.define(name, Member::Witness(Box::new(key)))
            }
            [b"group", name, threshold, members @ ..] if !members.is_empty() => {
                let threshold = match *threshold {
                    b"all" => Some(members.len()),
                    b"any" => Some(1),
                    number => std::str::from_utf8(number)
                        .ok()
                        .and_then(super::decimal)
                        .and_then(|number| usize::try_from(number).ok()),
                };
                let threshold = threshold
                    .filter(|threshold| (1..=members.len()).contains(threshold))
                    .ok_or_else(|| {
                        fault("the threshold is neither all nor any nor between 1 and the number of members")
                    })?;
                for member in members {
                    self.known(member)?;
                    if !self.used.insert(member.to_vec()) {
                        return Err(fault(&format!("{} is a member already", shown(member))));
                    }
                }
                let members = members.iter().map(|member| member.to_vec()).collect();
                self.define(name, Member::Group { threshold, members })
            }
            [b"quorum", name] => {
                if self.quorum.is_some() {
                    return Err(fault("a second quorum"));
                }
                if *name != b"none" {
                    self.known(name)?;
                }
                self.quorum = Some((*name != b"none").then(|| name.to_vec()));
                Ok(())
            }
            _ => Err(fault(
                "it is neither log VKEY [URL] nor witness NAME VKEY [URL] nor group NAME all|any|K NAME... nor quorum NAME",
            )),
        }
    }

    fn known(&self, name: &[u8]) -> Result<(), Error> {
        if self.members.iter().any(|(known, _)| known == name) {
            Ok(())
        } else {
            Err(fault(&format!("{} is not defined above", shown(name))))
        }
    }

    fn define(&mut self, name: &[u8], member: Member) -> Result<(), Error> {
        if name == b"none" || self.known(name).is_ok() {
            return Err(fault(&format!("{} is defined already", shown(name))));
        }
        limit("witnesses and groups of a witness policy", self.members.len())?;
        self.members.push((name.to_vec(), member));
        Ok(())
    }
}

/// Whether a line of the note has the name and id of this key; whether it is good is another question.
fn signed_by(note: &SignedNote, key: &NoteKey) -> bool {
    note.signatures().iter().any(|line| line.name() == key.name() && line.key_id() == key.key_id())
}

fn note_key(text: &[u8], kind: NoteKeyKind) -> Result<NoteKey, Error> {
    let text = std::str::from_utf8(text).map_err(|_| fault("the key is no UTF-8"))?;
    let key: NoteKey = text.parse()?;
    if key.kind() == kind {
        Ok(key)
    } else {
        Err(fault(
            "logs have keys that sign notes (type 0x01 or 0x02), witnesses keys that cosign (type 0x04)",
        ))
    }
}

fn limit(what: &'static str, count: usize) -> Result<(), Error> {
    if count >= LINES { Err(Error::Limit { what, limit: LINES }) } else { Ok(()) }
}

fn fault(reason: &str) -> Error {
    Error::malformed("witness policy", reason)
}

fn at_line(number: usize, error: Error) -> Error {
    match error {
        Error::Malformed { what, reason } => {
            Error::Malformed { what, reason: format!("line {number}: {reason}") }
        }
        other => other,
    }
}

fn shown(name: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(name))
}

fn listed(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
