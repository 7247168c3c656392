//! SPDX 2.3 JSON.

use super::out::Out;
use super::{DocumentInfo, Graph, TOOL, TOOL_VERSION, gaps, properties, uuid};
use crate::inventory::{ChecksumAlgorithm, Component, Inventory, Kind, Scope};
use crate::licence::Licence;
use lotse_digest::{Algorithm, Digest};
use std::collections::BTreeMap;

/// Writes SPDX 2.3 JSON. The document namespace is derived from the content, under `https://spdx.org/spdxdocs/`.
///
/// What the format cannot say is written as text: a licence that is no SPDX expression into `licenseComments`,
/// location, origin and unresolved names into `comment`, gaps of the inventory into the document's `comment`.
#[must_use]
pub fn spdx(inventory: &Inventory, info: &DocumentInfo) -> String {
    let ids = identifiers(inventory);
    let body = body(inventory, info, &ids);
    let uuid = uuid(&Out::Map(body.clone()).pretty());
    let name: String = info
        .subject
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
        .collect();
    let mut members = vec![
        ("spdxVersion", Out::text("SPDX-2.3")),
        ("dataLicense", Out::text("CC0-1.0")),
        ("SPDXID", Out::text("SPDXRef-DOCUMENT")),
        ("name", Out::text(&info.subject.name)),
        ("documentNamespace", Out::text(format!("https://spdx.org/spdxdocs/{name}-{uuid}"))),
    ];
    members.extend(body);
    Out::Map(members).pretty()
}

pub(crate) const SUBJECT: &str = "SPDXRef-Subject";

/// Identifiers hold letters, digits, `.` and `-`; two components whose names differ only elsewhere get a number.
fn identifiers(inventory: &Inventory) -> BTreeMap<&str, String> {
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    let mut ids = BTreeMap::new();
    for component in inventory.components() {
        let version = component.version.as_deref().unwrap_or_default();
        let plain = format!("{}-{}-{version}", component.kind.as_str(), component.name);
        let plain: String =
            plain.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
        let plain = plain.trim_end_matches('-').to_owned();
        let nth = taken.entry(plain.clone()).or_default();
        *nth = nth.saturating_add(1);
        let suffix = if *nth > 1 { format!("--{nth}") } else { String::new() };
        ids.insert(component.id.as_str(), format!("SPDXRef-Package-{plain}{suffix}"));
    }
    ids
}

fn body(
    inventory: &Inventory,
    info: &DocumentInfo,
    ids: &BTreeMap<&str, String>,
) -> Vec<(&'static str, Out)> {
    let graph = Graph::of(inventory);
    let creators = vec![
        Out::text(format!("Organization: {}", info.author)),
        Out::text(format!("Tool: {TOOL}-{TOOL_VERSION}")),
    ];
    let creation = vec![("created", Out::text(info.created.to_string())), ("creators", Out::List(creators))];
    let id = |component: &str| ids.get(component).map_or(SUBJECT, String::as_str).to_owned();
    let mut relations = vec![relation("SPDXRef-DOCUMENT", "DESCRIBES", SUBJECT)];
    for component in inventory.components() {
        relations.push(relation(SUBJECT, "CONTAINS", &id(&component.id)));
    }
    relations.extend(graph.roots.iter().map(|root| relation(SUBJECT, "DEPENDS_ON", &id(root))));
    for (from, targets) in &graph.edges {
        relations.extend(targets.iter().map(|to| relation(&id(from), "DEPENDS_ON", &id(to))));
    }
    let mut packages = vec![subject(info)];
    packages.extend(inventory.components().iter().map(|c| package(c, &id(&c.id))));
    let mut out = vec![("creationInfo", Out::Map(creation))];
    let gaps = gaps(inventory);
    if !gaps.is_empty() {
        out.push(("comment", Out::text(format!("The inventory has gaps:\n{}", gaps.join("\n")))));
    }
    out.push(("packages", Out::List(packages)));
    out.push(("relationships", Out::List(relations)));
    out
}

fn relation(from: &str, kind: &str, to: &str) -> Out {
    Out::Map(vec![
        ("spdxElementId", Out::text(from)),
        ("relationshipType", Out::text(kind)),
        ("relatedSpdxElement", Out::text(to)),
    ])
}

fn subject(info: &DocumentInfo) -> Out {
    let subject = &info.subject;
    let mut out = vec![("SPDXID", Out::text(SUBJECT)), ("name", Out::text(&subject.name))];
    out.extend(subject.version.as_ref().map(|v| ("versionInfo", Out::text(v))));
    out.push(("downloadLocation", Out::text("NOASSERTION")));
    out.push(("filesAnalyzed", Out::Bool(false)));
    if let Some(digest) = &subject.digest {
        out.push(("checksums", Out::List(vec![checksum(digest_name(digest), &digest.encoded())])));
        out.push(("primaryPackagePurpose", Out::text("CONTAINER")));
    } else {
        out.push(("primaryPackagePurpose", Out::text("APPLICATION")));
    }
    out.extend(
        subject.purl.as_ref().map(|p| ("externalRefs", Out::List(vec![purl_reference(&p.to_string())]))),
    );
    Out::Map(out)
}

fn digest_name(digest: &Digest) -> &'static str {
    match digest.algorithm() {
        Algorithm::Sha384 => "SHA384",
        Algorithm::Sha512 => "SHA512",
        _ => "SHA256",
    }
}

fn checksum(algorithm: &str, hex: &str) -> Out {
    Out::Map(vec![("algorithm", Out::text(algorithm)), ("checksumValue", Out::text(hex))])
}

fn purl_reference(purl: &str) -> Out {
    Out::Map(vec![
        ("referenceCategory", Out::text("PACKAGE-MANAGER")),
        ("referenceType", Out::text("purl")),
        ("referenceLocator", Out::text(purl)),
    ])
}

fn package(component: &Component, id: &str) -> Out {
    let mut out = vec![("SPDXID", Out::text(id)), ("name", Out::text(&component.name))];
    out.extend(component.version.as_ref().map(|v| ("versionInfo", Out::text(v))));
    out.push(("downloadLocation", Out::text("NOASSERTION")));
    out.push(("filesAnalyzed", Out::Bool(false)));
    if !component.checksums.is_empty() {
        let sums = component.checksums.iter().map(|c| checksum(algorithm(c.algorithm), &c.hex));
        out.push(("checksums", Out::List(sums.collect())));
    }
    out.push(("licenseConcluded", Out::text("NOASSERTION")));
    let (declared, comment) = licences(&component.licences);
    out.push(("licenseDeclared", Out::text(declared)));
    out.extend(comment.map(|c| ("licenseComments", Out::text(c))));
    out.push(("copyrightText", Out::text("NOASSERTION")));
    out.extend(
        component.purl.as_ref().map(|p| ("externalRefs", Out::List(vec![purl_reference(&p.to_string())]))),
    );
    let purpose = match component.kind {
        Kind::OperatingSystem => "OPERATING_SYSTEM",
        _ if component.project => "APPLICATION",
        _ => "LIBRARY",
    };
    out.push(("primaryPackagePurpose", Out::text(purpose)));
    let mut remarks: Vec<String> =
        properties(component).into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    match component.scope {
        Scope::Required => {}
        Scope::Optional => remarks.push("lotse:scope: optional".to_owned()),
        Scope::Development => remarks.push("lotse:scope: development".to_owned()),
    }
    if !remarks.is_empty() {
        out.push(("comment", Out::text(remarks.join("\n"))));
    }
    Out::Map(out)
}

fn algorithm(algorithm: ChecksumAlgorithm) -> &'static str {
    match algorithm {
        ChecksumAlgorithm::Sha1 => "SHA1",
        ChecksumAlgorithm::Sha256 => "SHA256",
        ChecksumAlgorithm::Sha384 => "SHA384",
        ChecksumAlgorithm::Sha512 => "SHA512",
    }
}

/// One valid expression, or none asserted and the words kept beside it.
fn licences(licences: &[Licence]) -> (String, Option<String>) {
    let words: Vec<String> = licences.iter().map(ToString::to_string).collect();
    if licences.is_empty() {
        return ("NOASSERTION".to_owned(), None);
    }
    if licences.iter().any(|l| matches!(l, Licence::Text(_))) {
        return ("NOASSERTION".to_owned(), Some(format!("declared as: {}", words.join(", "))));
    }
    if let [one] = words.as_slice() {
        return (one.clone(), None);
    }
    (words.iter().map(|w| format!("({w})")).collect::<Vec<_>>().join(" AND "), None)
}
