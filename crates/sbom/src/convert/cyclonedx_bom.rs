//! `cyclonedx-bom` models CycloneDX 1.3 to 1.5: the conversion goes through 1.5.

use super::{ConvertError, Read, inventory, nothing_lost};
use crate::error::Error;
use crate::inventory::{ChecksumAlgorithm, Inventory, Kind, Scope};
use crate::json::{Document, Node};
use crate::licence::Licence;
use crate::read::hex_checksum;
use crate::write::{DocumentInfo, Subject, cyclonedx_1_5};
use cyclonedx_bom::models::bom::Bom;
use lotse_digest::{Algorithm, Digest};

/// Our inventory as the type of `cyclonedx-bom` 0.8, at CycloneDX 1.5 (that crate knows no 1.6).
///
/// # Errors
/// [`ConvertError::CannotHold`] names what that type cannot hold, [`ConvertError::Refused`] what its parser says.
pub fn to_cyclonedx_bom(content: &Inventory, info: &DocumentInfo) -> Result<Bom, ConvertError> {
    let text = cyclonedx_1_5(content, info);
    let bom = Bom::parse_from_json_v1_5(text.as_bytes()).map_err(|e| ConvertError::Refused(e.to_string()))?;
    nothing_lost(&text, &written(&bom)?)?;
    Ok(bom)
}

/// A `Bom` as our inventory and the frame around it.
///
/// # Errors
/// [`ConvertError::CannotHold`] names every value of the `Bom` that an inventory has no place for.
pub fn from_cyclonedx_bom(bom: &Bom) -> Result<(Inventory, DocumentInfo), ConvertError> {
    let bom = bom.clone();
    let text = written(&bom)?;
    let document = Document::parse("bom", text.as_bytes()).map_err(ConvertError::NotUnderstood)?;
    let (content, info) = read(&document)?;
    nothing_lost(&text, &cyclonedx_1_5(&content, &info))?;
    Ok((content, info))
}

fn written(bom: &Bom) -> Result<String, ConvertError> {
    let mut out = Vec::new();
    bom.clone().output_as_json_v1_5(&mut out).map_err(|e| ConvertError::Refused(e.to_string()))?;
    String::from_utf8(out).map_err(|e| ConvertError::Refused(e.to_string()))
}

fn read(document: &Document<'_>) -> Result<(Inventory, DocumentInfo), ConvertError> {
    let root = &document.root;
    let missing = |what: &str| ConvertError::CannotHold(vec![format!("a document without {what}")]);
    let metadata = root.get("metadata").ok_or_else(|| missing("/metadata"))?;
    let subject = metadata.get("component").ok_or_else(|| missing("/metadata/component"))?;
    let info = DocumentInfo {
        subject: read_subject(document, subject).map_err(ConvertError::NotUnderstood)?,
        created: text(metadata, "timestamp").parse().map_err(|_| missing("a valid /metadata/timestamp"))?,
        author: list(metadata, "authors").first().map(|a| text(a, "name").to_owned()).unwrap_or_default(),
    };
    let subject_ref = text(subject, "bom-ref");
    let mut components = Vec::new();
    for node in list(root, "components") {
        components.push(component(document, node).map_err(ConvertError::NotUnderstood)?.finish()?);
    }
    let mut edges = Vec::new();
    for node in list(root, "dependencies").iter().filter(|n| text(n, "ref") != subject_ref) {
        let targets = list(node, "dependsOn").iter().filter_map(Node::as_str);
        edges.extend(targets.map(|to| (text(node, "ref").to_owned(), to.to_owned())));
    }
    let gaps: Vec<String> = properties(metadata).into_iter().map(|(_, value)| value).collect();
    Ok((inventory(components, edges, &gaps), info))
}

fn text<'n>(node: &'n Node, key: &str) -> &'n str {
    node.get(key).and_then(Node::as_str).unwrap_or_default()
}

fn list<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    match node.get(key).map(|n| &n.value) {
        Some(crate::json::Value::Array(items)) => items,
        _ => &[],
    }
}

fn properties(node: &Node) -> Vec<(String, String)> {
    list(node, "properties")
        .iter()
        .map(|p| (text(p, "name").to_owned(), text(p, "value").to_owned()))
        .collect()
}

fn read_subject(document: &Document<'_>, node: &Node) -> Result<Subject, Error> {
    let digest = list(node, "hashes").first().and_then(|hash| {
        let algorithm = match text(hash, "alg") {
            "SHA-256" => Algorithm::Sha256,
            "SHA-384" => Algorithm::Sha384,
            "SHA-512" => Algorithm::Sha512,
            _ => return None,
        };
        format!("{algorithm}:{}", text(hash, "content")).parse::<Digest>().ok()
    });
    Ok(Subject {
        name: document.required(node, "name")?.to_owned(),
        version: document.optional(node, "version")?.map(str::to_owned),
        digest,
        purl: document.optional(node, "purl")?.and_then(|p| p.parse().ok()),
    })
}

fn component(document: &Document<'_>, node: &Node) -> Result<Read, Error> {
    let name = document.required(node, "name")?;
    let id = document.optional(node, "bom-ref")?;
    let kind = match (text(node, "type"), id.and_then(|i| i.split_once(':'))) {
        ("operating-system", _) => Some(Kind::OperatingSystem),
        (_, Some(("npm", _))) => Some(Kind::Npm),
        (_, Some(("composer", _))) => Some(Kind::Composer),
        (_, Some(("cargo", _))) => Some(Kind::Cargo),
        (_, Some(("apk", _))) => Some(Kind::Apk),
        (_, Some(("deb", _))) => Some(Kind::Deb),
        _ => None,
    };
    let group = document.optional(node, "group")?;
    let checksums = list(node, "hashes").iter().filter_map(|hash| {
        let algorithm = match text(hash, "alg") {
            "SHA-1" => ChecksumAlgorithm::Sha1,
            "SHA-256" => ChecksumAlgorithm::Sha256,
            "SHA-384" => ChecksumAlgorithm::Sha384,
            "SHA-512" => ChecksumAlgorithm::Sha512,
            _ => return None,
        };
        hex_checksum(algorithm, text(hash, "content"))
    });
    let licences = list(node, "licenses").iter().map(|entry| match entry.get("license") {
        Some(licence) if licence.get("id").is_some() => Licence::Id(text(licence, "id").to_owned()),
        Some(licence) => Licence::read(text(licence, "name")),
        None => Licence::Expression(text(entry, "expression").to_owned()),
    });
    Ok(Read {
        id: id.map(str::to_owned),
        kind,
        name: group.map_or_else(|| name.to_owned(), |group| format!("{group}/{name}")),
        version: document.optional(node, "version")?.map(str::to_owned),
        purl: document.optional(node, "purl")?.and_then(|p| p.parse().ok()),
        licences: licences.collect(),
        checksums: checksums.collect(),
        project: text(node, "type") == "application",
        scope: Some(match text(node, "scope") {
            "optional" => Scope::Optional,
            "excluded" => Scope::Development,
            _ => Scope::Required,
        }),
        properties: properties(node),
    })
}
