//! The laws that fuzzing looks for a counterexample to: one function for each parser of untrusted input. The targets in `fuzz/`
//! and the replay of their seeds call the same functions.

mod policy;
mod provenance;
mod sign;
mod tuf;

use std::fs;
use std::io::{Read as _, Write as _};
use std::num::NonZeroUsize;

use lotse_digest::{Digest, Reference};
use lotse_gitops_manifest::{Object, bump, find_images};
use lotse_guardrails::{Level, Version, pod_security};
use lotse_migrate_plan::{Engine, Migration, Plan};
use lotse_netpol::{Cluster, Profile};
use lotse_oci::{
    EntryKind, FileSystem, Image, ImageBuilder, ImageConfig, Index, Layer, Layout, Manifest, Platform,
};
use lotse_provenance::{Event, Statement, Timestamp};
use lotse_release::Spec;
use lotse_sbom::{Advisory, Catalogue, Purl, Vex};
use lotse_secret_scan::{Place, Scanner};
use lotse_sign::{Checkpoint, SignedNote, SigningKey, VerifyingKey};
use lotse_yaml::{Dialect, Limits, Stream, parse_json, set_scalar, to_yaml};

/// A law: panics if the bytes are a counterexample.
pub type Law = fn(&[u8]);

/// Every law by the name of its target.
pub const LAWS: [(&str, Law); 31] = [
    ("digest", digest),
    ("reference", reference),
    ("yaml", yaml),
    ("yaml_edit", yaml_edit),
    ("json", json),
    ("oci_manifest", oci_manifest),
    ("oci_index", oci_index),
    ("oci_config", oci_config),
    ("oci_layer", oci_layer),
    ("tar", tar),
    ("gzip", gzip),
    ("encoder", encoder),
    ("unpack", unpack),
    ("signatures", signatures),
    ("bundle", sign::bundle),
    ("certificate", sign::certificate),
    ("timestamp", sign::timestamp),
    ("dsse", sign::dsse),
    ("tuf", tuf::tuf),
    ("policy", policy::policy),
    ("statements", statements),
    ("checkpoint", provenance::checkpoint),
    ("statement", provenance::statement),
    ("log_tile", provenance::log_tile),
    ("evidence", provenance::evidence),
    ("packages", packages),
    ("advisories", advisories),
    ("secrets", secrets),
    ("migrations", migrations),
    ("manifests", manifests),
    ("spec", spec),
];

/// Runs the law of one target.
///
/// # Panics
/// If the bytes are a counterexample, or no law has this name.
pub fn run(name: &str, data: &[u8]) {
    match LAWS.iter().find(|(other, _)| *other == name) {
        Some((_, law)) => law(data),
        None => panic!("no law {name:?}"),
    }
}

/// What parses as a digest prints as it was written, and its parts are those of the text.
fn digest(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text);
        assert_eq!(format!("{}:{}", digest.algorithm(), digest.encoded()), text);
        assert_eq!(Digest::from_bytes(digest.algorithm(), digest.as_bytes()).as_ref(), Ok(&digest));
        assert!(digest.verify(data).is_err(), "a text that holds its own hash");
    }
}

/// What parses as a reference prints as it was written; pinning and tagging change what they name and nothing else.
fn reference(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(reference) = text.parse::<Reference>() else { return };
    assert_eq!(reference.to_string(), text);
    let pinned = reference.pinned(Digest::sha256(b""));
    assert_eq!(pinned.to_string().parse().as_ref(), Ok(&pinned));
    assert_eq!((pinned.repository(), pinned.tag()), (reference.repository(), reference.tag()));
    let tagged = reference.with_tag("v1").map(|tagged| tagged.to_string());
    assert_eq!(tagged, Ok(format!("{}:v1", reference.repository())));
}

/// What a dialect reads, it reads again from our YAML.
fn yaml(data: &[u8]) {
    for dialect in [Dialect::Kubectl, Dialect::Yaml12] {
        let Ok(stream) = Stream::parse(data, dialect, &Limits::small_file()) else { continue };
        let Ok(values) = stream.values() else { continue };
        for value in values {
            let text = to_yaml(&value);
            let again = Stream::parse(text.as_bytes(), dialect, &Limits::manifests())
                .and_then(|stream| stream.values());
            assert_eq!(again.as_deref(), Ok([value].as_slice()), "{text}");
        }
    }
}

/// Setting a scalar sets it and nothing else, and undoing gives the bytes back.
fn yaml_edit(data: &[u8]) {
    let limits = Limits::small_file();
    if let Ok(edit) = set_scalar(data, Dialect::Kubectl, 0, "/a/b", "new: value", &limits) {
        let stream = Stream::parse(edit.bytes(), Dialect::Kubectl, &limits);
        let value = stream
            .ok()
            .and_then(|stream| stream.documents().first().and_then(|document| document.value().ok()));
        let found = value.as_ref().and_then(|value| value.pointer("/a/b")).and_then(|value| value.as_str());
        assert_eq!(found, Some("new: value"));
        assert_eq!(edit.undo(), data);
    }
}

/// What is read as JSON is read again from what we write of it.
fn json(data: &[u8]) {
    if let Ok(value) = parse_json(data, &Limits::small_file()) {
        assert_eq!(parse_json(value.to_json().as_bytes(), &Limits::manifests()).as_ref(), Ok(&value));
    }
}

/// A manifest survives a round trip, and is read as no index.
fn oci_manifest(data: &[u8]) {
    let limits = lotse_oci::Limits::default();
    let Ok(manifest) = Manifest::parse(data, &limits) else { return };
    assert!(Index::parse(data, &limits).is_err(), "one document, two readings");
    let bytes = manifest.to_bytes().unwrap_or_default();
    let again = Manifest::parse(&bytes, &limits).ok();
    assert_eq!(again.as_ref().and_then(|again| again.to_bytes().ok()), Some(bytes));
    assert_eq!(again, Some(manifest));
}

/// An index survives a round trip, and is read as no manifest.
fn oci_index(data: &[u8]) {
    let limits = lotse_oci::Limits::default();
    let Ok(index) = Index::parse(data, &limits) else { return };
    assert!(Manifest::parse(data, &limits).is_err(), "one document, two readings");
    let bytes = index.to_bytes().unwrap_or_default();
    let again = Index::parse(&bytes, &limits).ok();
    assert_eq!(again.as_ref().and_then(|again| again.to_bytes().ok()), Some(bytes));
    assert_eq!(again, Some(index));
}

/// A configuration survives a round trip.
fn oci_config(data: &[u8]) {
    let limits = lotse_oci::Limits::default();
    let Ok(config) = ImageConfig::parse(data, &limits) else { return };
    let bytes = config.to_bytes().unwrap_or_default();
    let again = ImageConfig::parse(&bytes, &limits).ok();
    assert_eq!(again.as_ref().and_then(|again| again.to_bytes().ok()), Some(bytes));
    assert_eq!(again, Some(config));
}

const PLAIN: &str = "application/vnd.oci.image.layer.v1.tar";
const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

fn small() -> lotse_oci::Limits {
    lotse_oci::Limits {
        layer_bytes: 1 << 20,
        file_bytes: 1 << 20,
        entries: 1000,
        ..lotse_oci::Limits::default()
    }
}

/// An archive is read in the same way twice, its entries stay inside, and no more content comes out than bytes went in.
fn tar(data: &[u8]) {
    let limits = small();
    let read = || {
        let mut seen = Vec::new();
        let read = lotse_oci::visit_layer(data, PLAIN, 0, &limits, &mut |entry| {
            let path = entry.path().to_owned();
            assert!(!path.starts_with('/') && path.split('/').all(|component| component != ".."), "{path:?}");
            let content = entry.read()?;
            assert_eq!(u64::try_from(content.len()).ok(), Some(entry.size()));
            seen.push((
                path,
                entry.kind(),
                entry.mode(),
                entry.owner(),
                entry.mtime(),
                entry.xattrs().clone(),
                content,
            ));
            Ok(())
        });
        (read.map_err(|error| error.to_string()), seen)
    };
    let (first, seen) = read();
    assert!(seen.iter().map(|entry| entry.6.len()).sum::<usize>() <= data.len());
    if let Ok((diff_id, length)) = &first {
        assert_eq!((diff_id, usize::try_from(*length).ok()), (&Digest::sha256(data), Some(data.len())));
    }
    assert_eq!((first, seen), read());
}

/// What a gzip stream decodes to is an archive that reads the same without it, and nothing is decoded beyond the limit.
fn gzip(data: &[u8]) {
    let limits = small();
    let mut compressed = FileSystem::new();
    let Ok(diff_id) = compressed.apply_layer(data, GZIP, 0, &limits) else { return };
    let mut archive = Vec::new();
    let mut decoder = flate2::read::MultiGzDecoder::new(data);
    assert!(decoder.read_to_end(&mut archive).is_ok(), "another decoder refuses it");
    assert_eq!(Digest::sha256(&archive), diff_id);
    let mut plain = FileSystem::new();
    assert_eq!(plain.apply_layer(&archive[..], PLAIN, 0, &limits).ok(), Some(diff_id));
    assert!(plain.iter().eq(compressed.iter()));
}

/// Another implementation decodes what our encoder makes to what went in, and threads and cuts leave no trace. The first byte says
/// how often the rest is repeated, so that small inputs reach beyond a window and a piece.
fn encoder(data: &[u8]) {
    let Some((times, data)) = data.split_first() else { return };
    let most = (700 << 10) / data.len().max(1);
    let input = data.repeat(usize::from(*times).min(most).max(1));
    let encode = |threads: NonZeroUsize, piece: usize| {
        let mut gzip = lotse_oci::GzipWriter::new(Vec::new(), threads);
        let written = input.chunks(piece).try_for_each(|piece| gzip.write_all(piece));
        written.and_then(|()| gzip.finish()).unwrap_or_default()
    };
    let encoded = encode(NonZeroUsize::MIN, input.len().max(1));
    let mut decoded = Vec::new();
    assert!(flate2::read::GzDecoder::new(&encoded[..]).read_to_end(&mut decoded).is_ok());
    assert_eq!(decoded, input);
    // A stored block costs five bytes in 64 KiB, a piece and the frame some more.
    assert!(encoded.len() <= input.len() + input.len() / 4096 + 64, "{} of {}", encoded.len(), input.len());
    if input.len() < 64 << 10 {
        assert_eq!(encoded, encode(NonZeroUsize::MIN.saturating_add(1), 7 + usize::from(*times)));
    }
}

/// Two layers (the input is cut by its first byte) unpacked into a tree in memory: every file has a directory above it and its
/// content in a layer, and what the layers hold is visible or hidden, never both or neither.
fn unpack(data: &[u8]) {
    let Some((cut, data)) = data.split_first() else { return };
    let blocks = data.len() / 512;
    let (base, upper) = data.split_at(usize::from(*cut).min(blocks) * 512);
    let limits = small();
    let (mut tree, mut contents) = (FileSystem::new(), std::collections::BTreeMap::new());
    for (layer, bytes) in [base, upper].into_iter().enumerate() {
        let applied = lotse_oci::visit_layer(bytes, PLAIN, layer, &limits, &mut |entry| {
            tree.apply(entry)?;
            if entry.kind() == EntryKind::File {
                contents.insert((layer, entry.path().to_owned()), entry.read()?);
            }
            Ok(())
        });
        if applied.is_err() {
            return;
        }
    }
    for (path, file) in tree.iter() {
        if let Some((parent, _)) = path.rsplit_once('/') {
            assert_eq!(tree.get(parent).map(|parent| &parent.kind), Some(&EntryKind::Directory), "{path:?}");
        }
        assert!(!path.split('/').any(|component| matches!(component, "" | "." | "..")), "{path:?}");
        assert!(!path.split('/').any(|component| component.starts_with(".wh.")), "{path:?}");
        assert!(!matches!(file.kind, EntryKind::Hardlink(_)), "{path:?}");
        if file.kind == EntryKind::File {
            let length = contents.get(&file.content).map(Vec::len);
            assert_eq!(length.and_then(|length| u64::try_from(length).ok()), Some(file.size), "{path:?}");
        }
    }
    let whiteout = |path: &str| path.rsplit('/').next().is_some_and(|name| name.starts_with(".wh."));
    let all: usize =
        contents.iter().filter(|((_, path), _)| !whiteout(path)).map(|(_, content)| content.len()).sum();
    assert_eq!(Some(tree.visible_bytes() + tree.hidden_bytes()), u64::try_from(all).ok());
}

/// No layer, plain or compressed, panics, leaves its directory or leaves something behind when it is refused.
fn oci_layer(data: &[u8]) {
    let Ok(directory) = tempfile::tempdir() else { return };
    let Ok(layout) = Layout::create(directory.path().join("layout"), small()) else { return };
    for media_type in [PLAIN, GZIP] {
        let Ok(descriptor) = layout.write_blob(media_type, data) else { return };
        let layer = Layer { descriptor, diff_id: diff_id(data, media_type), tar_size: 0 };
        let built = ImageBuilder::scratch(&Platform::new("linux", "amd64"))
            .layer(&layer, "fuzz")
            .write(&layout, "fuzz");
        let Ok(image) = built.and_then(|image| Image::load(&layout, &image.descriptor)) else { return };
        let target = directory.path().join("root");
        let flattened = FileSystem::of(&layout, &image);
        let options = lotse_oci::UnpackOptions { sync: false, ..lotse_oci::UnpackOptions::default() };
        match lotse_oci::unpack(&layout, &image, &target, &options) {
            Ok(_) => assert!(flattened.is_ok()),
            Err(_) => assert!(!target.exists()),
        }
        let left = fs::read_dir(directory.path()).map(Iterator::count).unwrap_or(0);
        assert_eq!(left, 1 + usize::from(target.exists()));
        let _ = fs::remove_dir_all(&target);
    }
}

/// The diffID of an archive that reads, so that what is unpacked is more than what is refused.
fn diff_id(data: &[u8], media_type: &str) -> Digest {
    let read = lotse_oci::visit_layer(data, media_type, 0, &small(), &mut |_| Ok(()));
    read.map_or_else(|_| Digest::sha256(data), |(diff_id, _)| diff_id)
}

/// Signed notes and keys survive a round trip.
fn signatures(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(note) = SignedNote::parse(text) {
        assert_eq!(SignedNote::parse(&note.to_text()).ok(), Some(note));
    }
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        assert_eq!(Checkpoint::parse(&checkpoint.to_text()).ok(), Some(checkpoint));
    }
    let _ = (SigningKey::from_pem(text).is_ok(), VerifyingKey::from_pem(text).is_ok());
}

/// Statements and log entries that are read are written and read again.
fn statements(data: &[u8]) {
    if let Ok(statement) = Statement::parse(data) {
        let json = statement.to_json().unwrap_or_default();
        let again = Statement::parse(&json).ok();
        assert_eq!(again.as_ref().map(Statement::predicate), Some(statement.predicate()));
    }
    if let Ok(event) = Event::parse(data)
        && let Ok(entry) = event.to_entry()
    {
        assert_eq!(Event::parse(&entry).ok(), Some(event));
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(time) = text.parse::<Timestamp>()
    {
        assert_eq!(time.to_string().parse(), Ok(time));
    }
}

/// No package database panics, and the same bytes give the same inventory.
fn packages(data: &[u8]) {
    let paths = [
        "composer.lock",
        "package-lock.json",
        "Cargo.lock",
        "lib/apk/db/installed",
        "var/lib/dpkg/status",
        "etc/os-release",
    ];
    for path in paths {
        let inventory = || {
            let mut catalogue = Catalogue::new(lotse_sbom::Limits::for_images());
            catalogue.add(path, data).ok().map(|()| catalogue.finish())
        };
        assert_eq!(inventory(), inventory());
    }
}

/// A purl that is read prints to one that is the same; no record panics.
fn advisories(data: &[u8]) {
    let limits = lotse_sbom::Limits::for_images();
    let _ = (Advisory::parse("fuzz", data, limits).is_ok(), Vex::parse("fuzz", data, limits).is_ok());
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(purl) = text.parse::<Purl>()
    {
        assert_eq!(purl.to_string().parse(), Ok(purl));
    }
}

/// The same bytes give the same findings in the same order, each inside the text.
fn secrets(data: &[u8]) {
    let Ok(scanner) = Scanner::new(lotse_secret_scan::Limits::for_repositories()) else { return };
    let findings = scanner.scan(data, &Place::file("fuzz"));
    assert_eq!(findings, scanner.scan(data, &Place::file("fuzz")));
    let lines = u64::try_from(data.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(u64::MAX);
    for finding in &findings.found {
        assert!(finding.line >= 1 && finding.line <= lines + 1);
    }
}

/// Every statement that is split off is planned, in this release or a later one or for review: none is lost.
fn migrations(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for engine in [Engine::Postgres, Engine::MySql, Engine::MariaDb, Engine::Sqlite] {
        for path in ["expand/1.sql", "1.php"] {
            let Ok(migration) = Migration::read(path, text, engine) else { continue };
            let steps = migration.steps.len();
            let plan = Plan::new(&[migration], 1);
            assert_eq!(plan.stages.iter().map(|stage| stage.steps.len()).sum::<usize>(), steps);
        }
    }
}

/// No manifest panics a verdict; a bump leaves the other images as they were.
fn manifests(data: &[u8]) {
    let limits = Limits::small_file();
    if let Ok(objects) = Object::parse_all("fuzz", data, &limits) {
        for object in &objects {
            let _ = pod_security(object, Level::Restricted, Version::Latest).is_ok();
        }
    }
    if let Ok(cluster) = Cluster::parse([("fuzz", data)], &limits) {
        let _ = cluster.matrix(Profile::Node, &[]);
    }
    let to = format!("team/app:2@sha256:{}", "0".repeat(64)).parse();
    if let (Ok(to), Ok(before)) = (to, find_images(data))
        && let Ok((after, changed)) = bump(data, &to)
    {
        let after = find_images(&after).unwrap_or_default();
        let same = before.iter().zip(&after).filter(|(before, after)| before == after).count();
        assert_eq!(same + changed, before.len());
    }
}

/// No specification panics, and each mistake has a place in the file.
fn spec(data: &[u8]) {
    if let Err(mistakes) = Spec::parse("fuzz", data) {
        assert!(!mistakes.list.is_empty());
        for mistake in &mistakes.list {
            assert!(mistake.line >= 1 && mistake.column >= 1 && !mistake.message.is_empty());
        }
    }
}
