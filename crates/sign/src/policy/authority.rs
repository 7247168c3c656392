//! Whether one authority of a policy is satisfied.

use std::collections::BTreeMap;

use lotse_digest::{Algorithm, Digest};

use super::admission::Admission;
use super::identity::check_claims;
use super::image::{self, ImageName};
use super::json::Json;
use super::model::{Authority, AuthorityKind, Keyless};
use super::payload::{StatementView, envelope_statement, predicate_uri, quoted_types, statement_view};
use super::pem;
use super::registry::{ImageRegistry, Repository};
use super::script::{RuleAnswer, evaluate_rule};
use super::signature::{Fault, Good, Log, Question, Signer, refused};
use crate::{
    Artifact, Bundle, Claims, Context, CosignLayer, ExpectedSigner, IdentityRule, Requirements, Rule,
    SignedBy, TrustedRoot, Verifier, VerifyingKey, encoding,
};

/// What an authority contributes to the document that the policy-level rule sees.
pub(crate) enum Match {
    Static,
    Signatures(Vec<Json>),
    Attestations(Vec<(String, Vec<Json>)>),
}

/// Why an authority is not satisfied, and how soon the controller notices.
pub(crate) struct Unmet {
    pub(crate) fault: Fault,
    /// The controller reports whichever authority answers first: 0 what needs no look, 1 what needs the registry, 2 what needs a
    /// rule.
    pub(crate) rank: u8,
}

/// One verified attestation.
struct Attested {
    layer: Digest,
    id: String,
    envelope: Vec<u8>,
    claims: Option<Claims>,
}

pub(crate) struct Place<'a> {
    pub(crate) admission: &'a Admission,
    pub(crate) registry: &'a dyn ImageRegistry,
    pub(crate) name: &'a ImageName,
}

impl Place<'_> {
    pub(crate) fn check(&self, authority: &Authority) -> Result<Match, Unmet> {
        let early = |fault| Unmet { fault, rank: 0 };
        if let AuthorityKind::Static { pass, message } = &authority.kind {
            if *pass {
                return Ok(Match::Static);
            }
            return Err(early(refused(format!("disallowed by static policy: {message}"))));
        }
        if authority.attestations.is_empty() {
            return self
                .signatures(authority)
                .map(Match::Signatures)
                .map_err(|fault| Unmet { fault, rank: 1 });
        }
        let attested = self.attested(authority).map_err(|fault| Unmet { fault, rank: 1 })?;
        self.rules(authority, &attested).map(Match::Attestations).map_err(|fault| Unmet { fault, rank: 2 })
    }

    /// The repository that signatures are looked for in, and what their tags start with.
    fn repository(&self, authority: &Authority) -> Result<(Repository<'_>, String), Fault> {
        let source = authority.source.as_ref();
        let name = match source.map(|source| source.oci.as_str()).unwrap_or_default() {
            "" => self.name.repository(),
            other => match image::repository(other, false) {
                Ok((host, path)) => format!("{host}/{path}"),
                Err(reason) => return Err(refused(format!("failed to determine source: {reason}"))),
            },
        };
        let prefix = source.map(|source| source.tag_prefix.clone()).unwrap_or_default();
        Ok((Repository { registry: self.registry, name }, prefix))
    }

    /// The image's digest; a tag is looked up.
    fn digest(&self, signatures: bool) -> Result<Digest, Fault> {
        let text = match (self.name.digest(), self.name.tag()) {
            (Some(digest), _) => digest.to_owned(),
            (None, tag) => {
                let (repository, tag) = (self.name.repository(), tag.unwrap_or("latest"));
                let found = self.registry.manifest(&repository, tag).map_err(Fault::Undecided)?;
                let Some(manifest) = found else {
                    let missing = format!("MANIFEST_UNKNOWN: manifest unknown; {repository}:{tag}");
                    return Err(refused(if signatures {
                        format!("image tag not found: {missing}")
                    } else {
                        missing
                    }));
                };
                return Ok(Digest::sha256(&manifest));
            }
        };
        text.parse().map_err(|error| refused(format!("{error}")))
    }

    fn root(&self, name: &str) -> Result<&TrustedRoot, Fault> {
        if name.is_empty() {
            let missing = "the policy means the public good instance, and no trusted root is given for it";
            return self.admission.root("").ok_or_else(|| Fault::Undecided(missing.to_owned()));
        }
        self.admission.root(name).ok_or_else(|| {
            refused(if self.admission.has_roots() {
                format!("trustRootRef {name} not found")
            } else {
                format!("getting SigstoreKeys: trustRootRef {name} not found, config missing")
            })
        })
    }

    fn log<'a>(&'a self, authority: &Authority) -> Result<Log<'a>, Fault> {
        let wrap = |fault| match fault {
            Fault::Refused(reason) => refused(format!(
                "getting Rekor public keys: {}: fetching keys for trustRootRef: {reason}",
                authority.name
            )),
            undecided => undecided,
        };
        let log = match (&authority.log, &authority.kind) {
            (None, AuthorityKind::Keyless(keyless)) if keyless.trust_root.is_empty() => {
                Log::Attached(self.root("").map_err(wrap)?)
            }
            (None, _) => Log::Unchecked,
            (Some(log), _) if !log.trust_root.is_empty() => Log::Online(
                Some(self.root(&log.trust_root).map_err(wrap)?),
                log.url.clone().unwrap_or_default(),
            ),
            (Some(log), _) => match &log.url {
                Some(url) => Log::Online(self.admission.root(""), url.clone()),
                None => Log::Unchecked,
            },
        };
        Ok(log)
    }

    /// The question about each layer of the older layout; `None` for a key that is none here.
    fn question<'a>(
        &'a self,
        authority: &'a Authority,
        image: &'a Digest,
        key: Option<&'a VerifyingKey>,
        attestation: bool,
    ) -> Result<Option<Question<'a>>, Fault> {
        let signer = match (&authority.kind, key) {
            (AuthorityKind::Keyless(keyless), _) => {
                let root = self.root(&keyless.trust_root).map_err(|fault| match fault {
                    Fault::Refused(reason) => {
                        refused(format!("getting Fulcio certs: {}: {reason}", authority.name))
                    }
                    undecided => undecided,
                })?;
                Some(Signer::Keyless {
                    root,
                    identities: &keyless.identities,
                    ignore_sct: keyless.ignore_sct,
                })
            }
            (AuthorityKind::Key(reference), Some(key)) => {
                let hash = Algorithm::from_name(&reference.hash_algorithm).ok_or_else(|| {
                    Fault::Undecided(format!(
                        "the hash algorithm {} is not computed here",
                        reference.hash_algorithm
                    ))
                })?;
                Some(Signer::Key { key, hash })
            }
            _ => None,
        };
        let log = self.log(authority)?;
        let timestamps = match authority.timestamp_root.as_deref() {
            None | Some("") => None,
            Some(name) => Some(self.root(name)?),
        };
        // A timestamp switches the log off.
        let log = if timestamps.is_some() { Log::Unchecked } else { log };
        Ok(signer.map(|signer| Question {
            signer,
            log,
            timestamps,
            image,
            attestation,
            at: self.admission.at(),
        }))
    }

    fn signatures(&self, authority: &Authority) -> Result<Vec<Json>, Fault> {
        let name = &authority.name;
        let constructing = |fault| match fault {
            Fault::Refused(reason) => refused(format!("constructing checkOpts for {name}: {reason}")),
            undecided => undecided,
        };
        let kind = match &authority.kind {
            AuthorityKind::Keyless(_) => "keyless",
            _ => "key",
        };
        let validation = |fault| match fault {
            Fault::Refused(reason) => refused(format!(
                "signature {kind} validation failed for authority {name} for {}: {reason}",
                self.name
            )),
            undecided => undecided,
        };
        if authority.bundle_format && kind == "key" {
            return Err(constructing(refused(
                "when using the new bundle format, the authority must be keyless",
            )));
        }
        if let (true, AuthorityKind::Keyless(keyless)) = (authority.bundle_format, &authority.kind) {
            self.bundle_root(authority, keyless).map_err(constructing)?;
            return Err(validation(refused("bundle support for image signatures is not yet implemented")));
        }
        let key = self.key(authority);
        let key = match key {
            None => None,
            Some(Ok(key)) => Some(key),
            Some(Err(fault)) => return Err(fault),
        };
        let image = self.digest(true);
        let dummy = Digest::sha256(b"");
        let question = self
            .question(authority, image.as_ref().unwrap_or(&dummy), key.as_ref(), false)
            .map_err(constructing)?;
        let Some(question) = question else {
            return Err(refused(format!("there are no public keys for authority {name}")));
        };
        if let AuthorityKind::Keyless(Keyless { url: None, .. }) = &authority.kind {
            return Err(refused("no Keyless URL specified"));
        }
        let image = image.as_ref().map_err(|fault| validation(fault.clone()))?;
        let (repository, prefix) = self.repository(authority)?;
        let layers = repository
            .layers(&format!("{prefix}{}-{}.sig", image.algorithm(), image.encoded()))
            .map_err(Fault::Undecided)?;
        if layers.is_empty() {
            return Err(validation(refused("no signatures found")));
        }
        let good = passing(&question, &layers, "no matching signatures").map_err(validation)?;
        Ok(good.into_iter().map(|(layer, good)| Json::Object(signature_members(layer, &good))).collect())
    }

    /// The key of an authority: none if it has none here, or why it cannot be used.
    fn key(&self, authority: &Authority) -> Option<Result<VerifyingKey, Fault>> {
        let AuthorityKind::Key(reference) = &authority.kind else { return None };
        if reference.data.is_empty() {
            return None;
        }
        Some(pem::verifying_key(&reference.data).ok_or_else(|| {
            Fault::Undecided(format!(
                "the key of authority {} is of a kind that is not verified here",
                authority.name
            ))
        }))
    }

    fn attested(&self, authority: &Authority) -> Result<Vec<Attested>, Fault> {
        let name = &authority.name;
        let creating = |fault| match fault {
            Fault::Refused(reason) => refused(format!("creating CheckOpts: {reason}")),
            undecided => undecided,
        };
        let kind = if matches!(authority.kind, AuthorityKind::Keyless(_)) { "keyless" } else { "key" };
        let validation = |fault| match fault {
            Fault::Refused(reason) => refused(format!(
                "attestation {kind} validation failed for authority {name} for {}: {reason}",
                self.name
            )),
            undecided => undecided,
        };
        let nothing = || refused(format!("no matching attestations for authority {name} for {}", self.name));
        if authority.bundle_format {
            let AuthorityKind::Keyless(keyless) = &authority.kind else {
                return Err(creating(refused(
                    "when using the new bundle format, the authority must be keyless",
                )));
            };
            let root = self.bundle_root(authority, keyless).map_err(creating)?;
            if keyless.url.is_none() {
                return Err(nothing());
            }
            let image = self.digest(true).map_err(validation)?;
            return self.bundles(authority, keyless, root, &image).map_err(validation);
        }
        let key = match self.key(authority) {
            None => None,
            Some(Ok(key)) => Some(key),
            Some(Err(fault)) => return Err(fault),
        };
        let image = self.digest(false);
        let dummy = Digest::sha256(b"");
        let question = self
            .question(authority, image.as_ref().unwrap_or(&dummy), key.as_ref(), true)
            .map_err(creating)?;
        let Some(question) = question else { return Err(nothing()) };
        if let AuthorityKind::Keyless(Keyless { url: None, .. }) = &authority.kind {
            return Err(nothing());
        }
        let image = image.as_ref().map_err(|fault| validation(fault.clone()))?;
        let (repository, prefix) = self.repository(authority)?;
        let layers = repository
            .layers(&format!("{prefix}{}-{}.att", image.algorithm(), image.encoded()))
            .map_err(Fault::Undecided)?;
        let good = passing(&question, &layers, "no matching attestations").map_err(validation)?;
        let attested = |(layer, good): (&CosignLayer, Good)| Attested {
            layer: Digest::sha256(&layer.payload),
            id: signature_id(layer, &good),
            envelope: layer.payload.clone(),
            claims: good.claims,
        };
        Ok(good.into_iter().map(attested).collect())
    }

    fn bundle_root(&self, authority: &Authority, keyless: &Keyless) -> Result<&TrustedRoot, Fault> {
        let root = self.root(&keyless.trust_root)?;
        let same = |other: &str, what: &str| {
            if other == keyless.trust_root {
                return Ok(());
            }
            Err(refused(format!(
                "when using the new bundle format, the trustRootRef for the {what} must be the same as the trustRootRef for the Keyless authority"
            )))
        };
        if let Some(timestamps) = &authority.timestamp_root {
            same(timestamps, "TSA")?;
        }
        if let Some(log) = &authority.log {
            same(&log.trust_root, "TLog")?;
        }
        Ok(root)
    }

    fn bundles(
        &self,
        authority: &Authority,
        keyless: &Keyless,
        root: &TrustedRoot,
        image: &Digest,
    ) -> Result<Vec<Attested>, Fault> {
        let (repository, _) = self.repository(authority)?;
        let bundles = repository.bundles(image).map_err(Fault::Undecided)?;
        let read: Vec<(Digest, Bundle)> = bundles
            .iter()
            .filter_map(|json| Bundle::parse(json).ok().map(|bundle| (Digest::sha256(json), bundle)))
            .collect();
        if read.is_empty() {
            return Err(refused("no valid bundles exist in registry"));
        }
        if keyless.identities.len() > 1 {
            return Err(refused(
                "no matching attestations: unsupported: multiple identities are not supported at this time",
            ));
        }
        let stamped = authority.timestamp_root.is_some();
        let mut requirements = Requirements::sigstore();
        if stamped {
            requirements = requirements.timestamps(1).dangerously_without_log();
        }
        if keyless.ignore_sct {
            requirements = requirements.dangerously_without_sct();
        }
        let rule = Identities(keyless);
        let context =
            Context { signer: ExpectedSigner::Identity(&rule), requirements, at: self.admission.at() };
        let verifier = Verifier::new(root.clone());
        let mut attested = Vec::new();
        let mut reasons = Vec::new();
        for (digest, bundle) in &read {
            if !stamped && bundle.entries.is_empty() {
                reasons.push("failed to verify log inclusion: not enough verified log entries from transparency log: 0 < 1".to_owned());
                continue;
            }
            if stamped && bundle.timestamps.is_empty() {
                reasons.push("failed to verify timestamps: threshold not met for verified signed timestamps: 0 < 1; error: %!w(<nil>)".to_owned());
                continue;
            }
            let images = [image.clone()];
            let verdict = verifier.verify(bundle, digest, &Artifact::Digests(&images), &context);
            match verdict.result() {
                Ok(proved) => {
                    let envelope = bundle_envelope(bundle);
                    // The controller gives the policy level neither issuer nor subject of a bundle.
                    let _: &SignedBy = &proved.signer;
                    match envelope {
                        Some(envelope) => attested.push(Attested {
                            layer: Digest::sha256(&envelope),
                            id: Digest::sha256(b"").encoded().clone(),
                            envelope,
                            claims: None,
                        }),
                        None => reasons.push("bundle does not contain a DSSE envelope".to_owned()),
                    }
                }
                Err(refusal) => reasons.push(match refusal.rule {
                    Rule::Sct => {
                        "failed to verify signed certificate timestamp: only able to verify 0 SCT entries; unable to meet threshold of 1".to_owned()
                    }
                    Rule::Statement | Rule::Artifact => {
                        "failed to verify signature: provided artifact digest does not match any digest in statement".to_owned()
                    }
                    _ => refusal.to_string(),
                }),
            }
        }
        if attested.is_empty() {
            return Err(refused(format!("no matching attestations: {}", reasons.join("\n"))));
        }
        Ok(attested)
    }

    /// Every wanted attestation needs one of its type that its rule lets pass.
    fn rules(&self, authority: &Authority, attested: &[Attested]) -> Result<Vec<(String, Vec<Json>)>, Fault> {
        let mut matches: BTreeMap<String, Vec<Json>> = BTreeMap::new();
        let mut seen: Vec<String> = Vec::new();
        for wanted in &authority.attestations {
            let mut first = None;
            let mut undecided = None;
            let mut passed = Vec::new();
            for found in attested {
                let statement = match envelope_statement(&found.envelope) {
                    Ok(statement) => statement,
                    Err(reason) => {
                        first.get_or_insert(refused(reason));
                        continue;
                    }
                };
                let mut note = |predicate_type: &str| {
                    if !predicate_type.is_empty() && !seen.iter().any(|seen| seen == predicate_type) {
                        seen.push(predicate_type.to_owned());
                    }
                };
                let document = match statement_view(&wanted.predicate_type, &statement) {
                    StatementView::Evaluated { json, predicate_type } => {
                        note(&predicate_type);
                        json
                    }
                    StatementView::Skipped { predicate_type } => {
                        note(&predicate_type);
                        continue;
                    }
                    StatementView::Failed { message, predicate_type } => {
                        note(predicate_type.as_deref().unwrap_or_default());
                        first.get_or_insert(refused(message));
                        continue;
                    }
                };
                if let Some(rule) = &wanted.policy {
                    let answer = if rule.elsewhere && rule.language == "cue" {
                        RuleAnswer::Undecided(format!("the rule for {} is kept elsewhere", wanted.name))
                    } else {
                        evaluate_rule(&wanted.name, &rule.language, &rule.data, &document)
                    };
                    match answer {
                        RuleAnswer::Accepted => {}
                        RuleAnswer::Refused(reason) => {
                            first.get_or_insert(refused(reason));
                            continue;
                        }
                        RuleAnswer::Undecided(what) => {
                            undecided.get_or_insert(Fault::Undecided(what));
                            continue;
                        }
                    }
                }
                let mut members = identity_members(&found.id, found.claims.as_ref());
                members.push(("predicateType".to_owned(), Json::text(&wanted.predicate_type)));
                members.push(("digest".to_owned(), Json::text(found.layer.to_string())));
                passed.push(Json::Object(members));
            }
            if passed.is_empty() {
                // What cannot be told may have been a yes.
                if let Some(fault) = undecided.or(first) {
                    return Err(fault);
                }
                let types = quoted_types(seen.iter().map(String::as_str));
                return Err(refused(format!(
                    "no matching attestations with type {}, checked the following predicateTypes: {types}",
                    wanted.predicate_type
                )));
            }
            matches.insert(wanted.name.clone(), passed);
        }
        debug_assert!(
            authority.attestations.iter().all(|wanted| !predicate_uri(&wanted.predicate_type).is_empty())
        );
        Ok(matches.into_iter().collect())
    }
}

/// The layers that pass, or why none does.
fn passing<'a>(
    question: &Question<'_>,
    layers: &'a [CosignLayer],
    none: &str,
) -> Result<Vec<(&'a CosignLayer, Good)>, Fault> {
    let mut good = Vec::new();
    let mut reasons = Vec::new();
    let mut undecided = None;
    for layer in layers {
        match question.check(layer) {
            Ok(found) => good.push((layer, found)),
            Err(Fault::Refused(reason)) => reasons.push(reason),
            Err(fault) => {
                undecided.get_or_insert(fault);
            }
        }
    }
    match (good.is_empty(), undecided) {
        (false, _) => Ok(good),
        (true, Some(fault)) => Err(fault),
        (true, None) => Err(refused(format!("{none}: {}", reasons.join("\n ")))),
    }
}

/// The SHA-256 of the signature and of the certificate in PEM.
fn signature_id(layer: &CosignLayer, good: &Good) -> String {
    let encoded =
        layer.annotations.get("dev.cosignproject.cosign/signature").map(String::as_str).unwrap_or_default();
    let mut bytes = encoding::decode("signature", encoded).unwrap_or_default();
    if let Some(certificate) = &good.certificate {
        bytes.extend_from_slice(crate::key::write_pem("CERTIFICATE", certificate.as_der()).as_bytes());
    }
    Digest::sha256(&bytes).encoded().clone()
}

fn signature_members(layer: &CosignLayer, good: &Good) -> Vec<(String, Json)> {
    identity_members(&signature_id(layer, good), good.claims.as_ref())
}

/// What a policy-level rule sees of a signer.
fn identity_members(id: &str, claims: Option<&Claims>) -> Vec<(String, Json)> {
    let mut members = vec![("id".to_owned(), Json::text(id))];
    let Some(claims) = claims else { return members };
    let mut push = |name: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            members.push((name.to_owned(), Json::text(value)));
        }
    };
    push("subject", Some(claims.subject.as_str()));
    push("issuer", claims.issuer.as_deref());
    push("githubWorkflowTrigger", claims.github_workflow_trigger.as_deref());
    push("githubWorkflowSha", claims.github_workflow_sha.as_deref());
    push("githubWorkflowName", claims.github_workflow_name.as_deref());
    push("githubWorkflowRepo", claims.github_workflow_repository.as_deref());
    push("githubWorkflowRef", claims.github_workflow_ref.as_deref());
    members
}

/// A bundle's envelope as the controller writes it again.
fn bundle_envelope(bundle: &Bundle) -> Option<Vec<u8>> {
    let crate::bundle::Content::Dsse(envelope) = &bundle.content else { return None };
    let signature =
        Json::Object(vec![("sig".to_owned(), Json::text(encoding::encode(envelope.only_signature())))]);
    let envelope = Json::Object(vec![
        ("payload".to_owned(), Json::text(encoding::encode(envelope.unverified_payload()))),
        ("payloadType".to_owned(), Json::text(envelope.payload_type())),
        ("signatures".to_owned(), Json::Array(vec![signature])),
    ]);
    Some(envelope.marshal().into_bytes())
}

/// The identities of an authority as a rule for the verifier of bundles.
struct Identities<'a>(&'a Keyless);

impl IdentityRule for Identities<'_> {
    fn describe(&self) -> String {
        let each: Vec<String> = self
            .0
            .identities
            .iter()
            .map(|identity| {
                format!(
                    "{:?}",
                    (&identity.issuer, &identity.issuer_regexp, &identity.subject, &identity.subject_regexp)
                )
            })
            .collect();
        format!("one of the policy's identities {}", each.join(", "))
    }

    fn check(&self, claims: &Claims) -> Result<(), String> {
        check_claims(&self.0.identities, claims).map_err(|error| error.to_string())
    }
}
