//! CycloneDX 1.6 JSON.

use super::out::Out;
use super::{DocumentInfo, Graph, TOOL, TOOL_VERSION, gaps, properties, uuid};
use crate::inventory::{ChecksumAlgorithm, Component, Inventory, Kind, Scope};
use crate::licence::Licence;
use lotse_digest::Algorithm;
use std::collections::BTreeSet;

/// Writes CycloneDX 1.6 JSON. The serial number is derived from the content: the same inventory of the same subject
/// at the same time is the same document.
///
/// What the format cannot say: CycloneDX 1.6 takes a list of licences or one expression, so an expression beside
/// other licences is written as a named licence.
#[must_use]
pub fn cyclonedx(inventory: &Inventory, info: &DocumentInfo) -> String {
    document(inventory, info, Version::V1_6)
}

/// The same at 1.5, which cannot say that a licence is the declared one.
#[cfg(feature = "cyclonedx-bom")]
pub(crate) fn cyclonedx_1_5(inventory: &Inventory, info: &DocumentInfo) -> String {
    document(inventory, info, Version::V1_5)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    #[cfg(feature = "cyclonedx-bom")]
    V1_5,
    V1_6,
}

fn document(inventory: &Inventory, info: &DocumentInfo, version: Version) -> String {
    let body = body(inventory, info, version);
    let serial = uuid(&Out::Map(body.clone()).pretty());
    let mut members = vec![
        ("bomFormat", Out::text("CycloneDX")),
        ("specVersion", Out::text(if version == Version::V1_6 { "1.6" } else { "1.5" })),
        ("serialNumber", Out::text(format!("urn:uuid:{serial}"))),
        ("version", Out::Number(1)),
    ];
    members.extend(body);
    Out::Map(members).pretty()
}

fn body(inventory: &Inventory, info: &DocumentInfo, version: Version) -> Vec<(&'static str, Out)> {
    let subject_ref = subject_ref(inventory, info);
    let graph = Graph::of(inventory);
    let depends = |id: &str, on: &[&str]| {
        let on = on.iter().map(|id| Out::text(*id)).collect();
        Out::Map(vec![("ref", Out::text(id)), ("dependsOn", Out::List(on))])
    };
    let mut dependencies = vec![depends(&subject_ref, &graph.roots)];
    dependencies.extend(graph.edges.iter().map(|(id, on)| depends(id, on)));
    let gaps = gaps(inventory);
    let aggregate = if gaps.is_empty() { "unknown" } else { "incomplete" };
    let mut metadata = vec![
        ("timestamp", Out::text(info.created.to_string())),
        ("tools", Out::Map(vec![("components", Out::List(vec![tool()]))])),
        ("authors", Out::List(vec![Out::Map(vec![("name", Out::text(&info.author))])])),
        ("component", subject(info, &subject_ref)),
    ];
    if !gaps.is_empty() {
        metadata.push(("properties", property_list(gaps.into_iter().map(|gap| ("lotse:gap", gap)))));
    }
    let assembled: BTreeSet<&str> =
        inventory.components().iter().filter(|c| c.unresolved.is_empty()).map(|c| c.id.as_str()).collect();
    let partial =
        inventory.components().iter().filter(|c| !c.unresolved.is_empty()).map(|c| Out::text(&c.id));
    let mut compositions = vec![composition(aggregate, vec![Out::text(&subject_ref)])];
    let lists: [(&str, Vec<Out>); 2] =
        [("unknown", assembled.into_iter().map(Out::text).collect()), ("incomplete", partial.collect())];
    for (aggregate, members) in lists {
        if !members.is_empty() {
            compositions.push(composition(aggregate, members));
        }
    }
    vec![
        ("metadata", Out::Map(metadata)),
        ("components", Out::List(inventory.components().iter().map(|c| component(c, version)).collect())),
        ("dependencies", Out::List(dependencies)),
        ("compositions", Out::List(compositions)),
    ]
}

fn composition(aggregate: &str, dependencies: Vec<Out>) -> Out {
    Out::Map(vec![("aggregate", Out::text(aggregate)), ("dependencies", Out::List(dependencies))])
}

/// The subject's purl or digest, unless a component already goes by that id.
fn subject_ref(inventory: &Inventory, info: &DocumentInfo) -> String {
    let subject = &info.subject;
    let named = || format!("subject:{}@{}", subject.name, subject.version.as_deref().unwrap_or_default());
    let id = match (&subject.purl, &subject.digest) {
        (Some(purl), _) => purl.to_string(),
        (None, Some(digest)) => digest.to_string(),
        (None, None) => named(),
    };
    if inventory.component(&id).is_none() { id } else { named() }
}

fn tool() -> Out {
    Out::Map(vec![
        ("type", Out::text("application")),
        ("name", Out::text(TOOL)),
        ("version", Out::text(TOOL_VERSION)),
    ])
}

fn subject(info: &DocumentInfo, id: &str) -> Out {
    let subject = &info.subject;
    let kind = if subject.digest.is_some() { "container" } else { "application" };
    let mut out =
        vec![("type", Out::text(kind)), ("bom-ref", Out::text(id)), ("name", Out::text(&subject.name))];
    out.extend(subject.version.as_ref().map(|v| ("version", Out::text(v))));
    if let Some(digest) = &subject.digest {
        let name = match digest.algorithm() {
            Algorithm::Sha384 => "SHA-384",
            Algorithm::Sha512 => "SHA-512",
            _ => "SHA-256",
        };
        out.push(("hashes", Out::List(vec![hash(name, &digest.encoded())])));
    }
    out.extend(subject.purl.as_ref().map(|p| ("purl", Out::text(p.to_string()))));
    Out::Map(out)
}

fn hash(algorithm: &str, hex: &str) -> Out {
    Out::Map(vec![("alg", Out::text(algorithm)), ("content", Out::text(hex))])
}

fn component(component: &Component, version: Version) -> Out {
    let kind = match component.kind {
        Kind::OperatingSystem => "operating-system",
        _ if component.project => "application",
        _ => "library",
    };
    let (group, name) = match (component.kind, component.name.rsplit_once('/')) {
        (Kind::Npm | Kind::Composer, Some((group, name))) => (Some(group), name),
        _ => (None, component.name.as_str()),
    };
    let mut out = vec![("type", Out::text(kind)), ("bom-ref", Out::text(&component.id))];
    out.extend(group.map(|g| ("group", Out::text(g))));
    out.push(("name", Out::text(name)));
    out.extend(component.version.as_ref().map(|v| ("version", Out::text(v))));
    let scope = match component.scope {
        Scope::Required => "required",
        Scope::Optional => "optional",
        Scope::Development => "excluded",
    };
    out.push(("scope", Out::text(scope)));
    if !component.checksums.is_empty() {
        let hashes = component.checksums.iter().map(|c| hash(algorithm(c.algorithm), &c.hex));
        out.push(("hashes", Out::List(hashes.collect())));
    }
    if !component.licences.is_empty() {
        out.push(("licenses", licences(&component.licences, version)));
    }
    out.extend(component.purl.as_ref().map(|p| ("purl", Out::text(p.to_string()))));
    let properties = properties(component);
    if !properties.is_empty() {
        out.push(("properties", property_list(properties)));
    }
    Out::Map(out)
}

fn property_list(pairs: impl IntoIterator<Item = (&'static str, String)>) -> Out {
    let item = |(name, value): (&'static str, String)| {
        Out::Map(vec![("name", Out::text(name)), ("value", Out::text(value))])
    };
    Out::List(pairs.into_iter().map(item).collect())
}

pub(super) fn algorithm(algorithm: ChecksumAlgorithm) -> &'static str {
    match algorithm {
        ChecksumAlgorithm::Sha1 => "SHA-1",
        ChecksumAlgorithm::Sha256 => "SHA-256",
        ChecksumAlgorithm::Sha384 => "SHA-384",
        ChecksumAlgorithm::Sha512 => "SHA-512",
    }
}

fn licences(licences: &[Licence], version: Version) -> Out {
    let declared = (version == Version::V1_6).then(|| ("acknowledgement", Out::text("declared")));
    if let [Licence::Expression(text)] = licences {
        let members = std::iter::once(("expression", Out::text(text))).chain(declared);
        return Out::List(vec![Out::Map(members.collect())]);
    }
    let item = |licence: &Licence| {
        let member = match licence {
            Licence::Id(id) => ("id", Out::text(id)),
            Licence::Expression(text) | Licence::Text(text) => ("name", Out::text(text)),
        };
        let members = std::iter::once(member).chain(declared.clone());
        Out::Map(vec![("license", Out::Map(members.collect()))])
    };
    Out::List(licences.iter().map(item).collect())
}
