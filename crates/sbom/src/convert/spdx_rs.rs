//! `spdx-rs` models SPDX 2.2 and 2.3.

use super::{ConvertError, Read, inventory, nothing_lost};
use crate::inventory::{ChecksumAlgorithm, Inventory, Kind, Scope};
use crate::licence::Licence;
use crate::read::hex_checksum;
use crate::write::{DocumentInfo, SPDX_SUBJECT, Subject, spdx};
use lotse_digest::{Algorithm as DigestAlgorithm, Digest};
use spdx_rs::models::{Algorithm, PackageInformation, PrimaryPackagePurpose, RelationshipType, SPDX};
use std::collections::BTreeMap;

/// Our inventory as the type of `spdx-rs` 0.5.
///
/// # Errors
/// [`ConvertError::CannotHold`] names what that type cannot hold, [`ConvertError::Refused`] what its parser says.
pub fn to_spdx_rs(content: &Inventory, info: &DocumentInfo) -> Result<SPDX, ConvertError> {
    let text = spdx(content, info);
    let document: SPDX = serde_json::from_str(&text).map_err(|e| ConvertError::Refused(e.to_string()))?;
    nothing_lost(&text, &written(&document)?)?;
    Ok(document)
}

/// An SPDX document as our inventory and the frame around it.
///
/// # Errors
/// [`ConvertError::CannotHold`] names every value of the document that an inventory has no place for.
pub fn from_spdx_rs(document: &SPDX) -> Result<(Inventory, DocumentInfo), ConvertError> {
    let text = written(document)?;
    let (content, info) = read(document)?;
    nothing_lost(&text, &spdx(&content, &info))?;
    Ok((content, info))
}

fn written(document: &SPDX) -> Result<String, ConvertError> {
    serde_json::to_string(document).map_err(|e| ConvertError::Refused(e.to_string()))
}

fn read(document: &SPDX) -> Result<(Inventory, DocumentInfo), ConvertError> {
    let missing = |what: &str| ConvertError::CannotHold(vec![format!("a document without {what}")]);
    let creation = &document.document_creation_information;
    let packages = &document.package_information;
    let subject = packages.iter().find(|p| p.package_spdx_identifier == SPDX_SUBJECT);
    let subject = subject.ok_or_else(|| missing("the package SPDXRef-Subject"))?;
    let created = creation.creation_info.created.to_rfc3339();
    let author = creation.creation_info.creators.iter().find_map(|c| c.strip_prefix("Organization: "));
    let digest = subject.package_checksum.first().and_then(|sum| {
        let algorithm = match sum.algorithm {
            Algorithm::SHA256 => DigestAlgorithm::Sha256,
            Algorithm::SHA384 => DigestAlgorithm::Sha384,
            Algorithm::SHA512 => DigestAlgorithm::Sha512,
            _ => return None,
        };
        format!("{algorithm}:{}", sum.value).parse::<Digest>().ok()
    });
    let info = DocumentInfo {
        subject: Subject {
            name: subject.package_name.clone(),
            version: subject.package_version.clone(),
            digest,
            purl: purl(subject),
        },
        created: created.parse().map_err(|_| missing("a valid creation time"))?,
        author: author.unwrap_or_default().to_owned(),
    };
    let mut components = Vec::new();
    let mut ids: BTreeMap<&str, String> = BTreeMap::new();
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    for package in packages.iter().filter(|p| p.package_spdx_identifier != SPDX_SUBJECT) {
        let mut component = package_read(package).finish()?;
        let nth = taken.entry(component.id.clone()).or_default();
        *nth += 1;
        if *nth > 1 {
            component.id = format!("{}#{nth}", component.id);
        }
        ids.insert(&package.package_spdx_identifier, component.id.clone());
        components.push(component);
    }
    let edges = document.relationships.iter().filter(|r| r.relationship_type == RelationshipType::DependsOn);
    let edges = edges.filter_map(|r| {
        Some((
            ids.get(r.spdx_element_id.as_str())?.clone(),
            ids.get(r.related_spdx_element.as_str())?.clone(),
        ))
    });
    let gaps = creation.document_comment.as_deref().unwrap_or_default();
    let gaps: Vec<String> = gaps.lines().skip(1).map(str::to_owned).collect();
    Ok((inventory(components, edges.collect(), &gaps), info))
}

fn purl(package: &PackageInformation) -> Option<crate::purl::Purl> {
    let mut references = package.external_reference.iter().filter(|r| r.reference_type == "purl");
    references.find_map(|r| r.reference_locator.parse().ok())
}

fn package_read(package: &PackageInformation) -> Read {
    let id = package.package_spdx_identifier.strip_prefix("SPDXRef-Package-").unwrap_or_default();
    let kinds = [Kind::Npm, Kind::Composer, Kind::Cargo, Kind::Apk, Kind::Deb];
    let os = package.primary_package_purpose == Some(PrimaryPackagePurpose::OperatingSystem);
    let by_id =
        kinds.into_iter().find(|k| id.strip_prefix(k.as_str()).is_some_and(|rest| rest.starts_with('-')));
    let checksums = package.package_checksum.iter().filter_map(|sum| {
        let algorithm = match sum.algorithm {
            Algorithm::SHA1 => ChecksumAlgorithm::Sha1,
            Algorithm::SHA256 => ChecksumAlgorithm::Sha256,
            Algorithm::SHA384 => ChecksumAlgorithm::Sha384,
            Algorithm::SHA512 => ChecksumAlgorithm::Sha512,
            _ => return None,
        };
        hex_checksum(algorithm, &sum.value)
    });
    let declared = package.declared_license.as_ref().map(ToString::to_string).unwrap_or_default();
    let words = package.comments_on_license.as_deref().and_then(|c| c.strip_prefix("declared as: "));
    let licences = match (words, declared.as_str()) {
        (Some(words), _) => words.split(", ").map(Licence::read).collect(),
        (None, "" | "NOASSERTION") => Vec::new(),
        (None, declared) => vec![Licence::read(declared)],
    };
    let mut scope = Scope::Required;
    let mut properties = Vec::new();
    for line in package.package_comment.as_deref().unwrap_or_default().lines() {
        match line.split_once(": ") {
            Some(("lotse:scope", "optional")) => scope = Scope::Optional,
            Some(("lotse:scope", "development")) => scope = Scope::Development,
            Some((name, value)) => properties.push((name.to_owned(), value.to_owned())),
            None => properties.push((line.to_owned(), String::new())),
        }
    }
    Read {
        id: None,
        kind: if os { Some(Kind::OperatingSystem) } else { by_id },
        name: package.package_name.clone(),
        version: package.package_version.clone(),
        purl: purl(package),
        licences,
        checksums: checksums.collect(),
        project: package.primary_package_purpose == Some(PrimaryPackagePurpose::Application),
        scope: Some(scope),
        properties,
    }
}
