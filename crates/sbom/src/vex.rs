//! OpenVEX 0.2 documents: who says that a vulnerability does not concern a product, and why.

use crate::error::{Error, Limits};
use crate::json::{Document, Node};
use crate::purl::Purl;
use crate::time::Timestamp;

/// An OpenVEX document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vex {
    /// `@id`.
    pub id: String,
    /// `author`.
    pub author: String,
    /// `statements`, in the order of the document.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statement {
    /// The vulnerability's name.
    pub vulnerability: String,
    /// Its aliases.
    pub aliases: Vec<String>,
    /// What it is about.
    pub products: Vec<Product>,
    /// The judgement.
    pub status: Status,
    /// The machine-readable reason (`vulnerable_code_not_in_execute_path`, ...) or the impact statement.
    pub reason: String,
    /// When it was said.
    pub timestamp: Timestamp,
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// `@id` and every identifier, as written.
    pub ids: Vec<String>,
    /// The parts of the product it is about; empty means the product as a whole.
    pub subcomponents: Vec<Vec<String>>,
}

/// OpenVEX's judgements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the OpenVEX specification closes this list")]
pub enum Status {
    /// No action needed.
    NotAffected,
    /// Repaired in these versions.
    Fixed,
    /// Not known yet.
    UnderInvestigation,
    /// Action is needed.
    Affected,
}

impl Vex {
    /// Reads a document; `name` stands in errors.
    ///
    /// # Errors
    /// [`Error::Malformed`], also for a statement that breaks OpenVEX's rules: no product, `not_affected` without
    /// justification or impact statement, `affected` without action statement. [`Error::UnsupportedVersion`] for
    /// a context that is not OpenVEX 0.2.
    pub fn parse(name: &str, bytes: &[u8], limits: Limits) -> Result<Self, Error> {
        if bytes.len() > limits.file_bytes {
            return Err(Error::Limit { path: name.to_owned(), what: "bytes", limit: limits.file_bytes });
        }
        let document = Document::parse(name, bytes)?;
        let root = &document.root;
        let context = document.required(root, "@context")?;
        if !context.starts_with("https://openvex.dev/ns")
            || !matches!(context.rsplit('/').next(), Some("ns" | "v0.2.0"))
        {
            return Err(Error::UnsupportedVersion {
                path: name.to_owned(),
                format: "OpenVEX",
                version: context.to_owned(),
                known: "https://openvex.dev/ns/v0.2.0",
            });
        }
        let issued = document.required(root, "timestamp")?;
        let mut statements = Vec::new();
        for node in document.list(root, "statements")? {
            statements.push(statement(&document, node, issued)?);
        }
        Ok(Self {
            id: document.required(root, "@id")?.to_owned(),
            author: document.required(root, "author")?.to_owned(),
            statements,
        })
    }
}

fn statement(document: &Document<'_>, node: &Node, issued: &str) -> Result<Statement, Error> {
    let Some(vulnerability) = node.get("vulnerability") else {
        return Err(document.error(node, "\"vulnerability\" is missing"));
    };
    let mut aliases = Vec::new();
    for alias in document.list(vulnerability, "aliases")? {
        aliases.push(document.string(alias, "an alias")?.to_owned());
    }
    let mut products = Vec::new();
    for product in document.list(node, "products")? {
        let mut subcomponents = Vec::new();
        for part in document.list(product, "subcomponents")? {
            subcomponents.push(identifiers(document, part)?);
        }
        products.push(Product { ids: identifiers(document, product)?, subcomponents });
    }
    if products.is_empty() {
        return Err(document.error(node, "a statement without products would excuse everything; name them"));
    }
    let justification = document.optional(node, "justification")?;
    let impact = document.optional(node, "impact_statement")?;
    let action = document.optional(node, "action_statement")?;
    let (status, reason) = match document.required(node, "status")? {
        "not_affected" => match justification.or(impact) {
            Some(reason) => (Status::NotAffected, reason),
            None => {
                return Err(document.error(node, "not_affected needs a justification or an impact statement"));
            }
        },
        "affected" => match action {
            Some(action) => (Status::Affected, action),
            None => return Err(document.error(node, "affected needs an action statement")),
        },
        "fixed" => (Status::Fixed, "fixed"),
        "under_investigation" => (Status::UnderInvestigation, "under investigation"),
        other => return Err(document.error(node, &format!("status {other:?} is not known"))),
    };
    let timestamp = document.optional(node, "timestamp")?.unwrap_or(issued);
    let timestamp =
        timestamp.parse().map_err(|e: crate::time::TimeError| document.error(node, &e.to_string()))?;
    let name = document.required(vulnerability, "name")?.to_owned();
    Ok(Statement { vulnerability: name, aliases, products, status, reason: reason.to_owned(), timestamp })
}

fn identifiers(document: &Document<'_>, node: &Node) -> Result<Vec<String>, Error> {
    let mut ids: Vec<String> = document.optional(node, "@id")?.map(str::to_owned).into_iter().collect();
    for (_, value) in document.members(node, "identifiers")? {
        ids.push(document.string(value, "an identifier")?.to_owned());
    }
    if ids.is_empty() {
        return Err(document.error(node, "a product without @id and identifiers"));
    }
    Ok(ids)
}

impl Statement {
    /// Whether this is about the vulnerability (by any of its names) in this component of this subject.
    ///
    /// A product is either the component itself, or the subject; then its subcomponents must name the component,
    /// and a product without subcomponents means all of it.
    pub(crate) fn concerns(&self, names: &[&str], component: Option<&Purl>, subject: &[String]) -> bool {
        let named = names.iter().any(|n| self.vulnerability == **n || self.aliases.iter().any(|a| a == n));
        let is_component = |ids: &[String]| {
            component.is_some_and(|c| ids.iter().any(|id| id.parse::<Purl>().is_ok_and(|p| p.covers(c))))
        };
        named
            && self.products.iter().any(|product| {
                let whole = product.subcomponents.is_empty();
                let part = || product.subcomponents.iter().any(|ids| is_component(ids));
                let is_subject = product.ids.iter().any(|id| subject.contains(id));
                (is_subject && (whole || part())) || (whole && is_component(&product.ids))
            })
    }
}
