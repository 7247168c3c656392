//! From files to an inventory.

use crate::error::{Error, Limits};
use crate::inventory::{Component, Distro, Inventory, Kind, NotRead, Problem, Scope};
use crate::purl::Purl;
use crate::read::{self, Draft, Facts, Reader};
use std::collections::{BTreeMap, BTreeSet};

/// Reads files one by one; [`Catalogue::finish`] puts them together. The order of the files does not matter.
///
/// Paths are relative, parted by `/`, without a leading slash. Whoever merges image layers or follows links does
/// so before: this crate opens nothing.
#[derive(Debug)]
pub struct Catalogue {
    limits: Limits,
    facts: BTreeMap<String, Facts>,
    seen: BTreeSet<String>,
    not_read: BTreeSet<NotRead>,
    count: usize,
}

/// Reads all files and puts them together.
///
/// # Errors
/// [`Error::Files`] with one error per file that could not be read; an inventory that silently misses a lock file
/// would be read as "nothing installed".
pub fn catalogue<P, B>(files: impl IntoIterator<Item = (P, B)>, limits: Limits) -> Result<Inventory, Error>
where
    P: AsRef<str>,
    B: AsRef<[u8]>,
{
    let mut catalogue = Catalogue::new(limits);
    let mut errors = Vec::new();
    for (path, bytes) in files {
        if let Err(error) = catalogue.add(path.as_ref(), bytes.as_ref()) {
            errors.push(error);
        }
    }
    if errors.is_empty() { Ok(catalogue.finish()) } else { Err(Error::Files(errors)) }
}

impl Catalogue {
    /// An empty catalogue.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, facts: BTreeMap::new(), seen: BTreeSet::new(), not_read: BTreeSet::new(), count: 0 }
    }

    /// Whether the bytes of this file matter. Call [`Catalogue::add`] with every path all the same (with empty
    /// bytes if this says no): files of package managers that are not read yet are listed by their name.
    #[must_use]
    pub fn wants(path: &str) -> bool {
        matches!(read::sort(path), read::Sort::Read(_))
    }

    /// Takes one file.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::UnsupportedVersion`] or [`Error::Limit`] name the file; [`Error::Path`] a
    /// path that is not relative. The catalogue stays usable.
    pub fn add(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        if path.split('/').any(|s| s.is_empty() || s == ".." || s == ".") {
            return Err(Error::Path { path: path.chars().take(300).collect() });
        }
        let reader = match read::sort(path) {
            read::Sort::Nothing => return Ok(()),
            read::Sort::NotRead(reason) => {
                self.not_read.insert(NotRead { path: path.to_owned(), reason: reason.into() });
                return Ok(());
            }
            read::Sort::Read(reader) => reader,
        };
        if bytes.len() > self.limits.file_bytes {
            return Err(Error::Limit { path: path.to_owned(), what: "bytes", limit: self.limits.file_bytes });
        }
        if !self.seen.insert(path.to_owned()) {
            return Err(Error::Malformed {
                path: path.to_owned(),
                line: 1,
                column: 1,
                reason: "the file was given twice; merge layers before cataloguing".to_owned(),
            });
        }
        let facts = reader.read(path, bytes)?;
        self.count = self.count.saturating_add(facts.drafts.len());
        if self.count > self.limits.components {
            return Err(Error::Limit {
                path: path.to_owned(),
                what: "components",
                limit: self.limits.components,
            });
        }
        self.facts.insert(path.to_owned(), facts);
        Ok(())
    }

    /// Puts everything together.
    #[must_use]
    pub fn finish(self) -> Inventory {
        let Self { mut facts, mut not_read, .. } = self;
        let mut problems: Vec<Problem> = Vec::new();
        let distro = read::pick_distro(&mut facts);
        let manifests = read::apply_manifests(&mut facts);
        not_read.extend(manifests.into_iter().map(|path| NotRead {
            path,
            reason: "a manifest without a lock file: nothing is resolved".into(),
        }));
        let mut drafts: Vec<Draft> = Vec::new();
        for (_, file) in facts {
            problems.extend(file.problems);
            drafts.extend(file.drafts);
        }
        let duplicates = read::drop_duplicate_records(&mut drafts);
        problems.extend(duplicates);
        if let Some(distro) = &distro {
            drafts.push(os_draft(distro));
        } else if drafts.iter().any(|d| matches!(d.kind, Kind::Apk | Kind::Deb)) {
            let path =
                drafts.iter().find(|d| matches!(d.kind, Kind::Apk | Kind::Deb)).map(|d| d.location.clone());
            problems.push(Problem {
                path: path.unwrap_or_default(),
                line: 0,
                reason: "no os-release file says which distribution this is: its packages have no purl and no advisories can be matched".to_owned(),
            });
        }
        let edges = resolve(&drafts);
        let mut inventory = assemble(drafts, &edges, distro);
        problems.sort();
        problems.dedup();
        inventory.problems = problems;
        inventory.not_read = not_read.into_iter().collect();
        inventory
    }
}

fn os_draft(distro: &Distro) -> Draft {
    let mut draft =
        Draft::new(Kind::OperatingSystem, &distro.id, distro.version_id.as_deref(), &distro.location);
    draft.scope_name = "os".to_owned();
    draft
}

/// Per draft the drafts it depends on, and the names nothing provides.
struct Edge {
    targets: BTreeSet<usize>,
    unresolved: BTreeSet<String>,
}

fn resolve(drafts: &[Draft]) -> Vec<Edge> {
    let mut providers: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (i, draft) in drafts.iter().enumerate() {
        providers.entry((&draft.scope_name, &draft.key)).or_insert(i);
    }
    for (i, draft) in drafts.iter().enumerate() {
        for name in &draft.provides {
            providers.entry((&draft.scope_name, name)).or_insert(i);
        }
    }
    drafts
        .iter()
        .enumerate()
        .map(|(i, draft)| {
            let mut edge = Edge { targets: BTreeSet::new(), unresolved: BTreeSet::new() };
            for need in &draft.needs {
                let found = need
                    .any_of
                    .iter()
                    .find_map(|name| providers.get(&(draft.scope_name.as_str(), name.as_str())));
                match found {
                    Some(target) if *target != i => {
                        edge.targets.insert(*target);
                    }
                    Some(_) => {}
                    None if need.optional => {}
                    None => {
                        edge.unresolved.insert(need.name.clone());
                    }
                }
            }
            edge
        })
        .collect()
}

/// Gives every draft its purl and id; drafts that say the same become one component.
fn assemble(drafts: Vec<Draft>, edges: &[Edge], distro: Option<Distro>) -> Inventory {
    let mut components: Vec<Component> = Vec::new();
    let mut by_identity: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut place: Vec<usize> = Vec::with_capacity(drafts.len());
    for (draft, edge) in drafts.into_iter().zip(edges) {
        let component = component(draft, edge, distro.as_ref());
        let same = by_identity.entry(component.id.clone()).or_default();
        let twin = same.iter().copied().find(|i| components.get(*i).is_some_and(|c| agree(c, &component)));
        if let Some(twin) = twin {
            place.push(twin);
            if let Some(kept) = components.get_mut(twin) {
                merge(kept, component);
            }
        } else {
            same.push(components.len());
            place.push(components.len());
            components.push(component);
        }
    }
    for same in by_identity.values() {
        for (nth, index) in same.iter().enumerate().skip(1) {
            if let Some(component) = components.get_mut(*index) {
                component.id = format!("{}#{}", component.id, nth.saturating_add(1));
            }
        }
    }
    let mut dependencies: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let id_of = |draft: usize| place.get(draft).and_then(|i| components.get(*i)).map(|c| c.id.clone());
    for (draft, edge) in edges.iter().enumerate() {
        let Some(from) = id_of(draft) else { continue };
        let targets = edge.targets.iter().filter_map(|target| id_of(*target)).filter(|to| *to != from);
        let targets: Vec<String> = targets.collect();
        if !targets.is_empty() {
            dependencies.entry(from).or_default().extend(targets);
        }
    }
    components.sort_by(|a, b| a.id.cmp(&b.id));
    Inventory { components, dependencies, distro, not_read: Vec::new(), problems: Vec::new() }
}

fn component(draft: Draft, edge: &Edge, distro: Option<&Distro>) -> Component {
    let purl = draft.purl(distro);
    let id = match &purl {
        Some(purl) => purl.to_string(),
        None => {
            format!("{}:{}@{}", draft.kind.as_str(), draft.name, draft.version.as_deref().unwrap_or_default())
        }
    };
    Component {
        id,
        kind: draft.kind,
        name: draft.name,
        version: draft.version,
        purl,
        licences: draft.licences,
        checksums: draft.checksums,
        locations: BTreeSet::from([draft.location]),
        source: draft.source,
        origin: draft.origin,
        scope: draft.scope,
        project: draft.project,
        unresolved: edge.unresolved.clone(),
    }
}

/// Two findings are one component if no fact of one contradicts the other.
fn agree(a: &Component, b: &Component) -> bool {
    let licences = a.licences == b.licences || a.licences.is_empty() || b.licences.is_empty();
    let checksums =
        a.checksums.iter().all(|x| b.checksums.iter().all(|y| x.algorithm != y.algorithm || x == y));
    licences && checksums && a.origin == b.origin && a.source == b.source && a.project == b.project
}

fn merge(kept: &mut Component, other: Component) {
    if kept.licences.is_empty() {
        kept.licences = other.licences;
    }
    kept.checksums.extend(other.checksums);
    kept.locations.extend(other.locations);
    kept.unresolved.extend(other.unresolved);
    kept.scope = kept.scope.min(other.scope);
}

impl Draft {
    fn purl(&self, distro: Option<&Distro>) -> Option<Purl> {
        let version = self.version.as_deref();
        let mut purl = match self.kind {
            Kind::OperatingSystem => return None,
            Kind::Apk | Kind::Deb => {
                let distro = distro?;
                let mut purl = Purl::new(self.kind.as_str(), Some(&distro.id), &self.name, version).ok()?;
                purl = purl.with_qualifier("arch", self.architecture.as_deref().unwrap_or_default()).ok()?;
                purl = purl.with_qualifier("distro", &distro.qualifier()).ok()?;
                let upstream = self.source.as_ref().and_then(|source| {
                    match (source.name == self.name, Some(source.version.as_str()) == version) {
                        (true, true) => None,
                        (false, true) => Some(source.name.clone()),
                        (_, false) => Some(format!("{}@{}", source.name, source.version)),
                    }
                });
                purl.with_qualifier("upstream", &upstream.unwrap_or_default()).ok()?
            }
            Kind::Composer | Kind::Npm => {
                let (namespace, name) = match self.name.rsplit_once('/') {
                    Some((namespace, name)) => (Some(namespace), name),
                    None => (None, self.name.as_str()),
                };
                Purl::new(self.kind.as_str(), namespace, name, version).ok()?
            }
            Kind::Cargo => Purl::new("cargo", None, &self.name, version).ok()?,
        };
        match &self.origin {
            crate::inventory::Origin::Local if !self.project => return None,
            crate::inventory::Origin::Vcs(url) => purl = purl.with_qualifier("vcs_url", url).ok()?,
            crate::inventory::Origin::Url(url) => purl = purl.with_qualifier("download_url", url).ok()?,
            _ => {}
        }
        Some(purl)
    }
}

impl Scope {
    pub(crate) fn of(development: bool, optional: bool) -> Self {
        match (development, optional) {
            (true, _) => Self::Development,
            (false, true) => Self::Optional,
            (false, false) => Self::Required,
        }
    }
}

impl Reader {
    fn read(self, path: &str, bytes: &[u8]) -> Result<Facts, Error> {
        match self {
            Self::ComposerLock => read::composer::lock(path, bytes),
            Self::ComposerInstalled => read::composer::installed(path, bytes),
            Self::ComposerManifest => read::composer::manifest(path, bytes),
            Self::NpmLock => read::npm::lock(path, bytes),
            Self::NpmManifest => read::npm::manifest(path, bytes),
            Self::CargoLock => read::cargo::lock(path, bytes),
            Self::Apk => read::apk::installed(path, bytes),
            Self::Dpkg => read::dpkg::status(path, bytes),
            Self::OsRelease => read::os_release::read(path, bytes),
        }
    }
}
