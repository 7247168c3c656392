use std::collections::BTreeMap;
use std::ops::Range;

use crate::Error;
use crate::claims::{Claims, SubjectName};
use crate::der::{BIT_STRING, BOOLEAN, Der, INTEGER, OCTET_STRING, OID, SEQUENCE, Tlv, UTF8_STRING, dotted};

const KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x0F];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 0x13];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x25];
const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1D, 0x0E];
const SCT_LIST: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0xD6, 0x79, 0x02, 0x04, 0x02];
/// 1.3.6.1.4.1.57264.1, the arc of Fulcio's extensions.
const FULCIO: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x83, 0xBF, 0x30, 0x01];
const EXTENSIONS: usize = 64;
const NAMES: usize = 64;

/// The extensions of a certificate that mean something here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extensions {
    /// CA, and how many intermediates may stand below.
    pub(crate) basic_constraints: Option<(bool, Option<u32>)>,
    /// The first sixteen bits, `digitalSignature` highest.
    pub(crate) key_usage: Option<u16>,
    /// The purposes, as bytes of their OIDs; `None` if the extension is absent.
    pub(crate) purposes: Option<Vec<Vec<u8>>>,
    pub(crate) purposes_critical: bool,
    pub(crate) names: Vec<Result<SubjectName, String>>,
    pub(crate) subject_key_id: Option<Vec<u8>>,
    /// The TLS-coded list, and where the extension lies.
    pub(crate) scts: Option<(Vec<u8>, Range<usize>)>,
    /// Where `SEQUENCE OF Extension` lies, and each extension in it, in the certificate's bytes.
    pub(crate) places: Vec<Range<usize>>,
    pub(crate) outer: Range<usize>,
    fulcio: BTreeMap<u8, Vec<u8>>,
    /// A critical extension that is not understood, by its OID.
    pub(crate) unknown_critical: Option<String>,
}

impl Extensions {
    /// Reads the end of a `TBSCertificate`: unique ids are skipped, `[3]` holds the extensions.
    pub(super) fn parse(fields: &mut Der<'_>) -> Result<Self, Error> {
        fields.take_optional(0x81)?;
        fields.take_optional(0x82)?;
        let mut extensions = Self::default();
        let Some(explicit) = fields.take_optional(0xA3)? else {
            fields.finish()?;
            return Ok(extensions);
        };
        fields.finish()?;
        extensions.outer = explicit.range();
        let mut inner = explicit.reader();
        let list = inner.take(SEQUENCE)?;
        inner.finish()?;
        let mut list = list.reader();
        let mut seen = Vec::new();
        while !list.is_empty() {
            let extension = list.take(SEQUENCE)?;
            if seen.len() == EXTENSIONS {
                return Err(Error::Limit { what: "extensions of a certificate", limit: EXTENSIONS });
            }
            let mut fields = extension.reader();
            let oid = fields.take(OID)?;
            if seen.contains(&oid.value) {
                return Err(oid.fault(format!("extension {} stands there twice", dotted(oid.value))));
            }
            seen.push(oid.value);
            let critical = match fields.take_optional(BOOLEAN)? {
                Some(flag) => flag.boolean()?,
                None => false,
            };
            let value = fields.take(OCTET_STRING)?;
            fields.finish()?;
            extensions.places.push(extension.range());
            extensions.read(oid.value, critical, &value, &extension)?;
        }
        Ok(extensions)
    }

    fn read(
        &mut self,
        oid: &[u8],
        critical: bool,
        value: &Tlv<'_>,
        extension: &Tlv<'_>,
    ) -> Result<(), Error> {
        match oid {
            KEY_USAGE => self.key_usage = Some(key_usage(value)?),
            BASIC_CONSTRAINTS => self.basic_constraints = Some(basic_constraints(value)?),
            EXTENDED_KEY_USAGE => {
                let mut list = only(value, SEQUENCE)?.reader();
                let mut purposes = Vec::new();
                while !list.is_empty() {
                    purposes.push(list.take(OID)?.value.to_vec());
                }
                self.purposes = Some(purposes);
                self.purposes_critical = critical;
            }
            SUBJECT_ALT_NAME => self.names = names(value)?,
            SUBJECT_KEY_ID => self.subject_key_id = Some(only(value, OCTET_STRING)?.value.to_vec()),
            SCT_LIST => self.scts = Some((only(value, OCTET_STRING)?.value.to_vec(), extension.range())),
            other => {
                if let Some([number @ 1..=0x7F]) = other.strip_prefix(FULCIO) {
                    self.fulcio.insert(*number, value.value.to_vec());
                } else if critical {
                    self.unknown_critical = Some(dotted(other));
                }
            }
        }
        Ok(())
    }

    /// What the certificate says of its subject: exactly one name, and Fulcio's extensions.
    pub(crate) fn claims(&self) -> Result<Claims, String> {
        let mut names = self.names.iter();
        let subject = match (names.next(), names.next()) {
            (Some(Ok(name)), None) => name.clone(),
            (Some(Err(reason)), None) => return Err(reason.clone()),
            (None, _) => {
                return Err("the certificate names no subject (no SubjectAlternativeName)".to_owned());
            }
            (Some(_), Some(_)) => {
                return Err(format!(
                    "the certificate names {} subjects; which of them signed is not said",
                    self.names.len()
                ));
            }
        };
        self.claims_of(subject)
    }

    /// The claims of a certificate whose subject is decided elsewhere.
    pub(crate) fn claims_of(&self, subject: SubjectName) -> Result<Claims, String> {
        let raw = |number: u8| self.raw_text(number);
        let der = |number: u8| self.der_text(number);
        let mut claims = Claims::new(subject);
        claims.issuer = match der(8)? {
            Some(issuer) => Some(issuer),
            None => raw(1)?,
        };
        claims.github_workflow_trigger = raw(2)?;
        claims.github_workflow_sha = raw(3)?;
        claims.github_workflow_name = raw(4)?;
        claims.github_workflow_repository = raw(5)?;
        claims.github_workflow_ref = raw(6)?;
        claims.build_signer_uri = der(9)?;
        claims.build_signer_digest = der(10)?;
        claims.runner_environment = der(11)?;
        claims.source_repository_uri = der(12)?;
        claims.source_repository_digest = der(13)?;
        claims.source_repository_ref = der(14)?;
        claims.source_repository_identifier = der(15)?;
        claims.source_repository_owner_uri = der(16)?;
        claims.source_repository_owner_identifier = der(17)?;
        claims.build_config_uri = der(18)?;
        claims.build_config_digest = der(19)?;
        claims.build_trigger = der(20)?;
        claims.run_invocation_uri = der(21)?;
        claims.source_repository_visibility = der(22)?;
        claims.deployment_environment = der(23)?;
        claims.token_subject = der(24)?;
        Ok(claims)
    }

    /// .1 to .6: the text itself.
    fn raw_text(&self, number: u8) -> Result<Option<String>, String> {
        let Some(value) = self.fulcio.get(&number) else { return Ok(None) };
        match std::str::from_utf8(value) {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(_) => Err(format!("extension 1.3.6.1.4.1.57264.1.{number} is no UTF-8")),
        }
    }

    /// .8 and up: a DER `UTF8String` and nothing behind it.
    fn der_text(&self, number: u8) -> Result<Option<String>, String> {
        let Some(value) = self.fulcio.get(&number) else { return Ok(None) };
        Der::single("extension", value, UTF8_STRING)
            .and_then(|text| text.text().map(|text| Some(text.to_owned())))
            .map_err(|error| format!("extension 1.3.6.1.4.1.57264.1.{number}: {error}"))
    }
}

/// The only value inside an extension.
fn only<'a>(value: &Tlv<'a>, tag: u8) -> Result<Tlv<'a>, Error> {
    let mut inner = value.reader();
    let only = inner.take(tag)?;
    inner.finish()?;
    Ok(only)
}

fn key_usage(value: &Tlv<'_>) -> Result<u16, Error> {
    let bits = only(value, BIT_STRING)?;
    let (unused, bytes) = match bits.value {
        [unused @ 0..=7, first] => (*unused, [*first, 0]),
        [unused @ 0..=7, first, second] => (*unused, [*first, *second]),
        _ => return Err(bits.fault("a KeyUsage of no or too many bits")),
    };
    let all = u16::from_be_bytes(bytes);
    let width = if bits.value.len() == 2 { 8 } else { 16 };
    let mask = u16::MAX << (16 - width + u16::from(unused));
    Ok(all & mask)
}

fn basic_constraints(value: &Tlv<'_>) -> Result<(bool, Option<u32>), Error> {
    let mut fields = only(value, SEQUENCE)?.reader();
    let ca = match fields.take_optional(BOOLEAN)? {
        Some(flag) => flag.boolean()?,
        None => false,
    };
    let length = match fields.take_optional(INTEGER)? {
        Some(length) => Some(length.small()?),
        None => None,
    };
    fields.finish()?;
    Ok((ca, length))
}

/// `GeneralNames` (RFC 5280, 4.2.1.6). A name of a kind that nobody signs with is kept as a refusal.
fn names(value: &Tlv<'_>) -> Result<Vec<Result<SubjectName, String>>, Error> {
    let mut list = only(value, SEQUENCE)?.reader();
    let mut names = Vec::new();
    while !list.is_empty() {
        let name = list.next()?;
        if names.len() == NAMES {
            return Err(Error::Limit { what: "names of a certificate", limit: NAMES });
        }
        names.push(match name.tag {
            0x81 => Ok(SubjectName::Email(ia5(&name)?)),
            0x86 => Ok(SubjectName::Uri(ia5(&name)?)),
            0xA0 => other_name(&name)?,
            tag => Err(format!("the certificate's subject is a name of kind {}", tag & 0x1F)),
        });
    }
    Ok(names)
}

fn ia5(name: &Tlv<'_>) -> Result<String, Error> {
    let text = name.text()?;
    if text.is_ascii() { Ok(text.to_owned()) } else { Err(name.fault("a name that is no ASCII")) }
}

/// Fulcio's `user!domain`: OtherName 1.3.6.1.4.1.57264.1.7 with an explicit `UTF8String`.
fn other_name(name: &Tlv<'_>) -> Result<Result<SubjectName, String>, Error> {
    let mut fields = name.reader();
    let kind = fields.take(OID)?;
    if kind.value.strip_prefix(FULCIO) != Some(&[7]) {
        return Ok(Err(format!("the certificate's subject is an OtherName of type {}", dotted(kind.value))));
    }
    let explicit = fields.take(0xA0)?;
    fields.finish()?;
    let mut inner = explicit.reader();
    let text = inner.take(UTF8_STRING)?.text()?.to_owned();
    inner.finish()?;
    Ok(Ok(SubjectName::OtherName(text)))
}
