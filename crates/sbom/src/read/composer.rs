//! composer.lock, vendor/composer/installed.json and composer.json.

use super::{Draft, Facts, Manifest, Need, hex_checksum, parent};
use crate::error::Error;
use crate::inventory::{ChecksumAlgorithm, Kind, Scope};
use crate::json::{Document, Node, Value};
use crate::licence::Licence;
use std::collections::BTreeSet;

/// The plan: `packages` and `packages-dev`. The format has no version number of its own; `plugin-api-version` 1
/// and 2 write the same members.
pub(crate) fn lock(path: &str, bytes: &[u8]) -> Result<Facts, Error> {
    let document = Document::parse(path, bytes)?;
    let root = &document.root;
    document.object(root, "composer.lock")?;
    if let Some(version) = document.optional(root, "plugin-api-version")?
        && !version.starts_with("1.")
        && !version.starts_with("2.")
    {
        return Err(Error::UnsupportedVersion {
            path: path.to_owned(),
            format: "composer.lock",
            version: version.to_owned(),
            known: "plugin-api-version 1 and 2",
        });
    }
    let Some(packages) = root.get("packages") else {
        return Err(document.error(root, "\"packages\" is missing"));
    };
    let mut facts = Facts::default();
    for package in document.array(packages, "packages")? {
        facts.drafts.push(draft(&document, package, path, Scope::Required)?);
    }
    for package in document.list(root, "packages-dev")? {
        facts.drafts.push(draft(&document, package, path, Scope::Development)?);
    }
    Ok(facts)
}

/// What is really there: version 2 is an object, version 1 was a bare list.
pub(crate) fn installed(path: &str, bytes: &[u8]) -> Result<Facts, Error> {
    let document = Document::parse(path, bytes)?;
    let root = &document.root;
    let mut development = BTreeSet::new();
    let packages = if let Value::Array(packages) = &root.value {
        packages.as_slice()
    } else {
        document.object(root, "installed.json")?;
        for name in document.list(root, "dev-package-names")? {
            development.insert(document.string(name, "a name in dev-package-names")?);
        }
        match root.get("packages") {
            Some(packages) => document.array(packages, "packages")?,
            None => return Err(document.error(root, "\"packages\" is missing")),
        }
    };
    let mut facts = Facts::default();
    for package in packages {
        let name = document.required(package, "name")?;
        facts.drafts.push(draft(&document, package, path, Scope::of(development.contains(name), false))?);
    }
    Ok(facts)
}

pub(crate) fn manifest(path: &str, bytes: &[u8]) -> Result<Facts, Error> {
    let document = Document::parse(path, bytes)?;
    let root = &document.root;
    document.object(root, "composer.json")?;
    let mut needs = needs(&document, root, "require")?;
    needs.extend(
        self::needs(&document, root, "require-dev")?.into_iter().map(|n| Need { optional: true, ..n }),
    );
    let manifest = Manifest {
        kind: Kind::Composer,
        name: document.optional(root, "name")?.map(str::to_owned),
        version: document.optional(root, "version")?.map(str::to_owned),
        licences: licences(&document, root)?,
        needs,
    };
    let _ = parent(path);
    Ok(Facts { manifest: Some(manifest), ..Facts::default() })
}

fn draft(document: &Document<'_>, package: &Node, path: &str, scope: Scope) -> Result<Draft, Error> {
    let name = document.required(package, "name")?;
    let version = document.required(package, "version")?;
    let mut draft = Draft::new(Kind::Composer, name, Some(version), path);
    draft.key = name.to_ascii_lowercase();
    draft.scope = scope;
    draft.licences = licences(document, package)?;
    if let Some(dist) = package.get("dist") {
        let sum = document.optional(dist, "shasum")?.unwrap_or_default();
        draft.checksums.extend(hex_checksum(ChecksumAlgorithm::Sha1, sum));
    }
    for member in ["replace", "provide"] {
        let names = document.members(package, member)?;
        draft.provides.extend(names.iter().map(|(name, _)| name.to_ascii_lowercase()));
    }
    draft.needs = needs(document, package, "require")?;
    Ok(draft)
}

fn needs(document: &Document<'_>, node: &Node, member: &str) -> Result<Vec<Need>, Error> {
    let members = document.members(node, member)?;
    Ok(members
        .iter()
        .filter(|(name, _)| !is_platform(name))
        .map(|(name, _)| Need::on(&name.to_ascii_lowercase()))
        .collect())
}

/// PHP itself, its extensions and system libraries; `extas/foo` is a package, `ext-json` is not.
fn is_platform(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !name.contains('/')
        && (name == "php"
            || name == "hhvm"
            || ["php-", "ext-", "lib-"].iter().any(|p| name.starts_with(p))
            || matches!(name.as_str(), "composer" | "composer-plugin-api" | "composer-runtime-api"))
}

/// A list means a choice; a single string is a mistake many packages make.
fn licences(document: &Document<'_>, node: &Node) -> Result<Vec<Licence>, Error> {
    match node.get("license") {
        Some(Node { value: Value::String(text), .. }) => Ok(vec![Licence::read(text)]),
        _ => {
            let mut names = Vec::new();
            for item in document.list(node, "license")? {
                names.push(document.string(item, "a licence")?);
            }
            Ok(Licence::any_of(&names))
        }
    }
}
