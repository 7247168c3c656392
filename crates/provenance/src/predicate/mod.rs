//! The predicates of statements by their types: those that are read into values, carriers of documents, and unknown ones.

mod document;
mod records;
mod vsa;

pub use self::document::{Document, DocumentEncoding, DocumentFormat};
pub use self::records::{
    LinkPredicate, ReleasePredicate, Scanner, TestResult, TestVerdict, VulnerabilityScan,
};
pub use self::vsa::{Vsa, VsaExpectations, VsaResult};

use crate::{BuildFacts, Error, Provenance, SLSA_PROVENANCE, SLSA_PROVENANCE_0_2, Statement};

/// Predicate types.
pub(crate) const VSA: &str = "https://slsa.dev/verification_summary/v1";
const RELEASE: &str = "https://in-toto.io/attestation/release/v0.1";
const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
const LINK: [&str; 2] = ["https://in-toto.io/attestation/link/v0.3", "https://in-toto.io/Link/v1"];
const VULNERABILITIES: [&str; 2] =
    ["https://cosign.sigstore.dev/attestation/vuln/v1", "https://in-toto.io/attestation/vulns/v0.1"];

/// What a statement says, by its type.
///
/// ```
/// use lotse_digest::Digest;
/// use lotse_provenance::{DocumentEncoding, Predicate, Statement, Subject};
/// // As `cosign attest --type spdx` writes it: the document as a JSON string.
/// let subject = vec![Subject::new("app", &Digest::sha256(b"image"))];
/// let statement = Statement::new(subject, "https://spdx.dev/Document", br#""{\"spdxVersion\":\"SPDX-2.3\"}""#)?;
/// let Predicate::Document(document) = Predicate::parse(&statement)? else { panic!() };
/// assert_eq!(document.encoding(), DocumentEncoding::JsonString);
/// assert_eq!(document.text(), r#"{"spdxVersion":"SPDX-2.3"}"#);
/// # Ok::<(), lotse_provenance::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Predicate {
    /// SLSA provenance v1.
    Provenance(Box<Provenance>),
    /// SLSA provenance v0.2, by its facts.
    ProvenanceV02(Box<BuildFacts>),
    /// A verification summary: somebody verified, and says how it ended.
    Vsa(Box<Vsa>),
    /// A release.
    Release(ReleasePredicate),
    /// How tests ended.
    TestResult(TestResult),
    /// in-toto link metadata.
    Link(LinkPredicate),
    /// What a vulnerability scanner found.
    Vulnerabilities(VulnerabilityScan),
    /// A document in a format of its own: an SBOM, OpenVEX.
    Document(Document),
    /// A type that is not known here. The statement holds its text.
    Unknown(String),
}

impl Predicate {
    /// Reads the predicate of a statement by its type. An unknown type is no error; a known one that does not hold what its type says
    /// is.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`].
    pub fn parse(statement: &Statement) -> Result<Self, Error> {
        let kind = statement.predicate_type();
        if let Some(format) = DocumentFormat::of_type(kind) {
            return Document::parse(format, statement.predicate()).map(Self::Document);
        }
        Ok(match kind {
            SLSA_PROVENANCE => Self::Provenance(Box::new(Provenance::parse(statement)?)),
            SLSA_PROVENANCE_0_2 => Self::ProvenanceV02(Box::new(BuildFacts::parse(statement)?)),
            VSA => Self::Vsa(Box::new(Vsa::parse(statement)?)),
            RELEASE => Self::Release(read("release predicate", statement)?),
            TEST_RESULT => Self::TestResult(read("test-result predicate", statement)?),
            kind if LINK.contains(&kind) => Self::Link(read("link predicate", statement)?),
            kind if VULNERABILITIES.contains(&kind) => {
                Self::Vulnerabilities(read("vulnerability predicate", statement)?)
            }
            other => Self::Unknown(other.to_owned()),
        })
    }
}

fn read<T: serde::de::DeserializeOwned>(what: &str, statement: &Statement) -> Result<T, Error> {
    serde_json::from_str(statement.predicate()).map_err(|error| Error::malformed(what, error))
}
