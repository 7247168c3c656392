use std::collections::BTreeSet;

use lotse_digest::{Algorithm, Digest};

use super::hashes::Hashes;
use super::{Context, ExpectedSigner, Finding, Proved, Rule, SignedBy, Verdict, VerifiedTime};
use crate::bundle::{Content, Material};
use crate::dsse::IN_TOTO;
use crate::rekor::{
    EntryBody, EntrySubject, LogEntry, Verifier as EntryVerifier, verify_inclusion_promise,
    verify_inclusion_proof,
};
use crate::statement::StatementHead;
use crate::timestamp::Timestamp;
use crate::trusted_root::{CertificateAuthority, Log};
use crate::x509::{Certificate, Purpose, check_leaf, scts};
use crate::{Bundle, Claims, SimpleSigning, Time, TrustedRoot, VerifyingKey};

/// One verification.
pub(super) struct Check<'a> {
    pub(super) root: &'a TrustedRoot,
    pub(super) bundle: &'a Bundle,
    pub(super) hashes: Hashes<'a>,
    pub(super) context: &'a Context<'a>,
    /// In cosign's older layout the artifact is a payload about an image: the image, and the payload.
    pub(super) image: Option<(&'a Digest, &'a [u8])>,
    /// What timestamps are about if not the signature: in cosign's older layout an attestation's whole envelope.
    pub(super) stamped: Option<&'a [u8]>,
    /// A hash function besides the key's own that the signature may be over.
    pub(super) hash: Option<Algorithm>,
}

/// A step failed; the verdict has it.
struct Failed;

/// What the steps found so far.
#[derive(Default)]
struct Found<'a> {
    times: Vec<VerifiedTime>,
    authorities: BTreeSet<String>,
    logs: Vec<(&'a Log, u64)>,
}

type Checked = Result<(), Failed>;

impl<'a> Check<'a> {
    pub(super) fn run(&self, verdict: &mut Verdict) {
        // The verdict has the step that failed.
        let _: Checked = self.steps(verdict);
    }

    fn steps(&self, verdict: &mut Verdict) -> Checked {
        let mut found = Found::default();
        let key = self.material(verdict)?;
        self.message(verdict)?;
        self.timestamps(verdict, &mut found)?;
        self.log_entries(verdict, key, &mut found)?;
        self.times(verdict, &found)?;
        let signer = match (&self.bundle.material, self.context.signer) {
            (Material::Certificates { leaf, .. }, ExpectedSigner::Identity(rule)) => {
                let authority = self.certificate(verdict, leaf, &found)?;
                self.scts(verdict, leaf, authority)?;
                let claims = decide(verdict, Rule::Signer, vec![certificate_name(leaf)], || {
                    let claims = leaf.extensions().claims()?;
                    rule.check(&claims)?;
                    Ok((describe(&claims), claims))
                })?;
                SignedBy::Certificate(Box::new(claims))
            }
            _ => SignedBy::Key(key.fingerprint()),
        };
        self.signature(verdict, key)?;
        self.payload(verdict)?;
        let predicate_type = self.statement(verdict)?;
        self.thresholds(verdict, &found)?;
        let logs = found.logs.iter().map(|(log, index)| format!("{} {index}", log.name())).collect();
        verdict.accept(Proved { signer, times: found.times, logs, predicate_type });
        Ok(())
    }

    /// The key that must have made the signature.
    fn material(&self, verdict: &mut Verdict) -> Result<&'a VerifyingKey, Failed> {
        decide(verdict, Rule::Material, Vec::new(), || match (&self.bundle.material, self.context.signer) {
            (Material::Certificates { leaf, .. }, ExpectedSigner::Identity(_)) => {
                Ok((format!("signed with the key of {}", certificate_name(leaf)), leaf.key()))
            }
            (Material::Key { .. }, ExpectedSigner::Key(key)) => {
                Ok((format!("signed with a managed key, to be {}", key.fingerprint()), key))
            }
            (Material::Certificates { .. }, ExpectedSigner::Key(_)) => {
                Err("a certificate signed, where a key was expected".to_owned())
            }
            (Material::Key { .. }, ExpectedSigner::Identity(_)) => {
                Err("a bare key signed, where somebody's certificate was expected".to_owned())
            }
        })
    }

    /// A message signature's digest is a hint; a wrong one is refused all the same.
    fn message(&self, verdict: &mut Verdict) -> Checked {
        let Content::Message { digest, .. } = &self.bundle.content else { return Ok(()) };
        decide(verdict, Rule::Artifact, vec![self.hashes.name()], || {
            match self.hashes.artifact(digest.algorithm()) {
                Some(actual) if actual == *digest => Ok((format!("the bundle is about {digest}"), ())),
                Some(actual) => Err(format!("the bundle is about {digest}, not about {actual}")),
                None => Err(format!(
                    "the bundle is about {digest}; the artifact's {} is not known",
                    digest.algorithm()
                )),
            }
        })
    }

    /// The signature's bytes, which timestamps are about, and log entries.
    fn signature_bytes(&self) -> &'a [u8] {
        match &self.bundle.content {
            Content::Dsse(envelope) => envelope.only_signature(),
            Content::Message { signature, .. } => signature,
        }
    }

    /// Every timestamp of the bundle must hold: one that does not is somebody's lie about when.
    fn timestamps(&self, verdict: &mut Verdict, found: &mut Found<'a>) -> Checked {
        let mut seen = BTreeSet::new();
        let stamped = self.stamped.unwrap_or_else(|| self.signature_bytes());
        for bytes in &self.bundle.timestamps {
            let name = Digest::sha256(bytes);
            let (time, source) = decide(verdict, Rule::Timestamp, vec![format!("timestamp {name}")], || {
                if !seen.insert(name.clone()) {
                    return Err("the same timestamp stands there twice".to_owned());
                }
                let timestamp = Timestamp::parse(bytes).map_err(|error| error.to_string())?;
                let authority = self.root.authority_of(&timestamp, stamped)?;
                found.authorities.insert(authority.witness().to_owned());
                let source = authority.uri.clone();
                Ok((format!("{source} saw the signature at {}", timestamp.time), (timestamp.time, source)))
            })?;
            found.times.push(VerifiedTime { time, source });
        }
        Ok(())
    }

    /// Every log entry of the bundle must hold, too.
    fn log_entries(&self, verdict: &mut Verdict, key: &VerifyingKey, found: &mut Found<'a>) -> Checked {
        let stamped: Vec<Time> = found.times.iter().map(|time| time.time).collect();
        for (number, entry) in self.bundle.entries.iter().enumerate() {
            let used = vec![format!("log entry {} with hash {}", entry.index, Digest::sha256(&entry.body))];
            let (log, time) = decide(verdict, Rule::LogEntry, used, || {
                if self.bundle.entries.iter().take(number).any(|other| other == entry) {
                    return Err("the same entry stands there twice".to_owned());
                }
                let log = self.root.log(&entry.log_id)?;
                self.entry_is_ours(entry, key)?;
                let mut words = Vec::new();
                let time = match &entry.promise {
                    Some(set) if !entry.is_v2() => {
                        verify_inclusion_promise(entry, set, log)?;
                        let time = Time::from_seconds(entry.integrated_time);
                        words.push(format!("promised at {time}"));
                        Some(time)
                    }
                    _ => None,
                };
                if entry.proof.is_some() {
                    words.push(verify_inclusion_proof(entry, log)?);
                }
                if words.is_empty() {
                    return Err("it has neither a promise nor a proof".to_owned());
                }
                for time in time.iter().chain(&stamped) {
                    if let Some(reason) = log.window.excludes(*time) {
                        return Err(format!("{}: {reason}", log.name()));
                    }
                }
                Ok((format!("in {}: {}", log.name(), words.join(", ")), (log, time)))
            })?;
            if let Some(time) = time {
                found.times.push(VerifiedTime { time, source: log.name().to_owned() });
            }
            found.logs.push((log, entry.index));
        }
        Ok(())
    }

    /// That the entry is about this content, this signature and this signer (CVE-2026-22703).
    fn entry_is_ours(&self, entry: &LogEntry, key: &VerifyingKey) -> Result<(), String> {
        let body = EntryBody::parse(entry).map_err(|error| error.to_string())?;
        let signature = self.signature_bytes();
        if body.signature.as_deref().is_some_and(|logged| logged != signature) {
            return Err("the entry is about another signature".to_owned());
        }
        let same = match (&body.verifier, &self.bundle.material) {
            (EntryVerifier::Certificate(der), Material::Certificates { leaf, .. }) => der == leaf.as_der(),
            (EntryVerifier::Key(der), Material::Key { .. }) => der == key.as_der(),
            _ => false,
        };
        if !same {
            return Err("the entry is about another signer".to_owned());
        }
        match (&body.subject, &self.bundle.content) {
            (EntrySubject::Signed(digest), Content::Message { .. }) => {
                match self.hashes.artifact(digest.algorithm()) {
                    Some(actual) if actual == *digest => Ok(()),
                    Some(_) => Err("the entry is about another artifact".to_owned()),
                    None => Err(format!(
                        "the entry is about {digest}; the artifact's {} is not known",
                        digest.algorithm()
                    )),
                }
            }
            (EntrySubject::Signed(digest), Content::Dsse(envelope)) if entry.is_v2() => {
                if self.hashes.envelope(envelope, digest.algorithm()) == *digest {
                    return Ok(());
                }
                Err("the entry is about another envelope".to_owned())
            }
            (EntrySubject::Payload(digest), Content::Dsse(envelope)) => {
                if Digest::of(digest.algorithm(), envelope.unverified_payload()) == *digest {
                    return Ok(());
                }
                Err("the entry is about another payload".to_owned())
            }
            _ => Err(format!(
                "an entry of kind {} {} does not belong to this content",
                entry.kind, entry.version
            )),
        }
    }

    /// A certificate of ten minutes says nothing without a time; there is no fall-back to now.
    fn times(&self, verdict: &mut Verdict, found: &Found<'a>) -> Checked {
        let used = found.times.iter().map(|time| format!("{} by {}", time.time, time.source)).collect();
        decide(verdict, Rule::Time, used, || {
            if let Some(late) = found.times.iter().find(|time| time.time >= self.context.at.next_second()) {
                return Err(format!(
                    "{} says {}, which is after {}",
                    late.source, late.time, self.context.at
                ));
            }
            match found.times.len() {
                0 if self.bundle.has_certificate() => Err("nobody vouches for the time of the signature: a \
                     certificate needs a timestamp, or a log's promise"
                    .to_owned()),
                0 => Ok(("no time is known, and a managed key needs none".to_owned(), ())),
                count => Ok((format!("{count} verified"), ())),
            }
        })
    }

    /// The authority that issued the leaf, all of it valid whenever the signature is said to have been made.
    fn certificate(
        &self,
        verdict: &mut Verdict,
        leaf: &Certificate,
        found: &Found<'a>,
    ) -> Result<&'a CertificateAuthority, Failed> {
        decide(verdict, Rule::Certificate, vec![certificate_name(leaf)], || {
            check_leaf(leaf, Purpose::CodeSigning).map_err(|reason| format!("the certificate: {reason}"))?;
            for time in &found.times {
                if let Some(reason) = leaf.invalid_at(time.time) {
                    return Err(format!("the certificate: {reason}"));
                }
            }
            let mut reason = "no configured authority issued the certificate".to_owned();
            for authority in self.root.authorities.iter() {
                let Ok(authority) = authority else { continue };
                if !authority.authority.issued(leaf) {
                    continue;
                }
                let outside = found.times.iter().find_map(|time| {
                    authority
                        .window
                        .excludes(time.time)
                        .or_else(|| authority.authority.valid_at(Purpose::CodeSigning, time.time).err())
                });
                match outside {
                    None => {
                        let (from, to) = (leaf.not_before(), leaf.not_after());
                        return Ok((
                            format!("issued by {}, valid from {from} to {to}", authority.uri),
                            authority,
                        ));
                    }
                    Some(outside) => reason = format!("{}: {outside}", authority.uri),
                }
            }
            Err(reason)
        })
    }

    fn scts(&self, verdict: &mut Verdict, leaf: &Certificate, authority: &CertificateAuthority) -> Checked {
        let required = self.context.requirements.required_scts();
        decide(verdict, Rule::Sct, vec![certificate_name(leaf)], || {
            let issuer = authority.authority.issuer().ok_or("the authority has no certificate")?;
            let mut good = BTreeSet::new();
            let mut reason = "the certificate carries none".to_owned();
            for sct in scts(leaf).map_err(|error| error.to_string())? {
                let log = match self.root.ct_log(&sct.log_id) {
                    Ok(log) => log,
                    Err(unknown) => {
                        reason = unknown;
                        continue;
                    }
                };
                if let Some(outside) = log.window.excludes(sct.time) {
                    return Err(format!("{}: {outside}", log.name()));
                }
                if sct.time >= leaf.not_after().next_second() {
                    return Err(format!("an SCT of {} is later than the certificate's end", sct.time));
                }
                if sct.time >= self.context.at.next_second() {
                    return Err(format!("an SCT of {} is after {}", sct.time, self.context.at));
                }
                if !sct.verifies(leaf, issuer, &log.key) {
                    return Err(format!("the SCT of {} does not verify", log.name()));
                }
                good.insert(log.witness());
            }
            match good.len() {
                count if count < required => Err(format!("{count} SCTs of {required}: {reason}")),
                0 => Ok(("none, and none is required".to_owned(), ())),
                count => Ok((format!("{count} certificate logs promised to publish it"), ())),
            }
        })
    }

    fn signature(&self, verdict: &mut Verdict, key: &VerifyingKey) -> Checked {
        let used = vec![format!("key {}", key.fingerprint())];
        decide(verdict, Rule::Signature, used, || {
            let signed = match &self.bundle.content {
                Content::Dsse(_) => "the envelope",
                Content::Message { .. } => "the artifact",
            };
            let holds = match key.scheme().hash() {
                None => self.signs_bytes(key)?,
                Some(hash) => {
                    self.signs_digest(key, hash)?
                        || match self.hash {
                            Some(other) if other != hash => self.signs_digest(key, other)?,
                            _ => false,
                        }
                }
            };
            if holds {
                return Ok((format!("{} over {signed}", key.scheme()), ()));
            }
            Err(format!("the signature over {signed} does not verify"))
        })
    }

    fn signs_digest(&self, key: &VerifyingKey, hash: Algorithm) -> Result<bool, String> {
        let digest = match &self.bundle.content {
            Content::Dsse(envelope) => self.hashes.envelope(envelope, hash),
            Content::Message { .. } => self.hashes.artifact(hash).ok_or_else(|| {
                format!("the key signs {hash} digests, and the artifact's {hash} is not known")
            })?,
        };
        Ok(key.verifies_digest(&digest, self.signature_bytes()))
    }

    fn signs_bytes(&self, key: &VerifyingKey) -> Result<bool, String> {
        match (&self.bundle.content, self.hashes.bytes()) {
            (Content::Dsse(envelope), _) => Ok(key.verifies(&envelope.pae(), self.signature_bytes())),
            (Content::Message { .. }, Some(bytes)) => Ok(key.verifies(bytes, self.signature_bytes())),
            (Content::Message { .. }, None) => {
                Err(format!("{} signs the bytes themselves, which were not given", key.scheme()))
            }
        }
    }

    /// In cosign's older layout: that the signed payload is about the image.
    fn payload(&self, verdict: &mut Verdict) -> Checked {
        let Some((image, payload)) = self.image else { return Ok(()) };
        decide(verdict, Rule::Statement, vec![format!("payload {}", Digest::sha256(payload))], || {
            let payload = SimpleSigning::parse(payload).map_err(|error| error.to_string())?;
            if payload.digest != *image {
                return Err(format!("the payload is about {}, not about {image}", payload.digest));
            }
            Ok((format!("the payload is about {image}"), ()))
        })
    }

    fn statement(&self, verdict: &mut Verdict) -> Result<Option<String>, Failed> {
        let Content::Dsse(envelope) = &self.bundle.content else { return Ok(None) };
        let payload = envelope.unverified_payload();
        let used = vec![format!("statement {}", Digest::sha256(payload))];
        decide(verdict, Rule::Statement, used, || {
            if envelope.payload_type() != IN_TOTO {
                return Err(format!("the payload is {:?}, no in-toto statement", envelope.payload_type()));
            }
            let head = StatementHead::parse(payload).map_err(|error| error.to_string())?;
            match head.subject(|algorithm| self.hashes.artifact(algorithm)) {
                Some(number) => {
                    let words = format!("subject {} of {} is the artifact", number + 1, head.len());
                    Ok((format!("{}: {words}", head.predicate_type), Some(head.predicate_type)))
                }
                None => Err(format!("none of its {} subjects is {}", head.len(), self.hashes.name())),
            }
        })
    }

    /// Witnesses count once each, however often they appear; what one operator runs is one witness.
    fn thresholds(&self, verdict: &mut Verdict, found: &Found<'a>) -> Checked {
        let requirements = self.context.requirements;
        let logs: BTreeSet<&[u8]> = found.logs.iter().map(|(log, _)| log.witness()).collect();
        let (logs, wanted_logs) = (logs.len(), requirements.required_log_entries());
        let (stamps, wanted_stamps) = (found.authorities.len(), requirements.required_timestamps());
        decide(verdict, Rule::Threshold, Vec::new(), || {
            if logs < wanted_logs {
                return Err(format!("entries in {logs} logs, {wanted_logs} are required"));
            }
            if stamps < wanted_stamps {
                return Err(format!("timestamps of {stamps} authorities, {wanted_stamps} are required"));
            }
            Ok((format!("{logs} logs, {stamps} timestamp authorities"), ()))
        })
    }
}

/// Takes a step: what it proves goes into the verdict, or why it does not.
fn decide<T>(
    verdict: &mut Verdict,
    rule: Rule,
    used: Vec<String>,
    step: impl FnOnce() -> Result<(String, T), String>,
) -> Result<T, Failed> {
    match step() {
        Ok((proved, value)) => {
            verdict.step(rule, used, Finding::Proved(proved));
            Ok(value)
        }
        Err(reason) => {
            verdict.step(rule, used, Finding::Refused(reason));
            Err(Failed)
        }
    }
}

fn certificate_name(certificate: &Certificate) -> String {
    format!("certificate {}", certificate.fingerprint())
}

fn describe(claims: &Claims) -> String {
    let issuer = claims.issuer.as_deref().unwrap_or("nobody");
    format!("{:?}, vouched for by {issuer:?}", claims.subject.as_str())
}
