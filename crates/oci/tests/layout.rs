//! Layouts: verified reading, referrers, and what a damaged one says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::collections::BTreeMap;
use std::fs;

use lotse_digest::Digest;
use lotse_oci::{
    Compression, Descriptor, Error, FileTree, Image, ImageBuilder, ImageConfig, Index, LayerOptions, Layout,
    Limits, Manifest, Platform,
};
use tempfile::TempDir;

fn sample() -> (TempDir, Layout, Image) {
    let directory = TempDir::new().unwrap();
    let layout = Layout::create(directory.path().join("layout"), Limits::default()).unwrap();
    let mut tree = FileTree::new();
    tree.file("file", b"content".to_vec()).unwrap();
    let layer = layout.write_layer(&tree, &LayerOptions::new(Compression::Gzip, 0)).unwrap();
    let image = ImageBuilder::scratch(&Platform::new("linux", "amd64"))
        .layer(&layer, "copy")
        .write(&layout, "v1")
        .unwrap();
    (directory, layout, image)
}

#[test]
fn attached_documents_are_found_as_referrers() {
    let (_keep, layout, image) = sample();
    let annotations = BTreeMap::from([("purpose".to_owned(), "test".to_owned())]);
    let first =
        layout.attach(&image.descriptor, "application/vnd.example+json", b"{\"a\":1}", annotations).unwrap();
    layout.attach(&image.descriptor, "application/vnd.example+json", b"{\"a\":2}", BTreeMap::new()).unwrap();
    let referrers = layout.referrers(&image.descriptor.digest).unwrap();
    assert_eq!(referrers.len(), 2);
    assert_eq!(referrers[0].descriptor, first);
    assert_eq!(layout.read_blob(&referrers[0].manifest.layers[0]).unwrap(), b"{\"a\":1}");
    assert!(layout.referrers(&first.digest).unwrap().is_empty());
    let index = fs::read(layout.path().join("index.json")).unwrap();
    let annotations = BTreeMap::from([("purpose".to_owned(), "test".to_owned())]);
    layout.attach(&image.descriptor, "application/vnd.example+json", b"{\"a\":1}", annotations).unwrap();
    assert_eq!(
        layout.referrers(&image.descriptor.digest).unwrap().len(),
        2,
        "attached twice is attached once"
    );
    assert_eq!(index.len(), fs::read(layout.path().join("index.json")).unwrap().len());
    let stranger = Descriptor::new("application/json", Digest::sha256(b"stranger"), 8);
    assert!(matches!(layout.attach(&stranger, "a/b", b"", BTreeMap::new()), Err(Error::NotFound { .. })));
}

#[test]
fn a_damaged_layout_names_what_is_wrong() {
    type Damage = fn(&Layout, &Image);
    let table: [(&str, Damage, &str); 9] = [
        ("marker gone", |layout, _| fs::remove_file(layout.path().join("oci-layout")).unwrap(), "oci-layout"),
        (
            "future version",
            |layout, _| {
                fs::write(layout.path().join("oci-layout"), r#"{"imageLayoutVersion":"2.0.0"}"#).unwrap()
            },
            "2.0.0",
        ),
        (
            "index is no JSON",
            |layout, _| fs::write(layout.path().join("index.json"), "{").unwrap(),
            "image index",
        ),
        ("index gone", |layout, _| fs::remove_file(layout.path().join("index.json")).unwrap(), "index.json"),
        (
            "manifest gone",
            |layout, image| fs::remove_file(layout.blob_path(&image.descriptor.digest)).unwrap(),
            "is not in layout",
        ),
        ("manifest byte changed", |layout, image| flip(layout, &image.descriptor), "does not match"),
        (
            "config cut",
            |layout, image| fs::write(layout.blob_path(&image.manifest.config.digest), "{}").unwrap(),
            "has 2 bytes",
        ),
        ("layer byte changed", |layout, image| flip(layout, &image.manifest.layers[0]), "layer"),
        (
            "layer cut",
            |layout, image| fs::write(layout.blob_path(&image.manifest.layers[0].digest), "").unwrap(),
            "layer",
        ),
    ];
    for (name, damage, part) in table {
        let (_keep, layout, image) = sample();
        damage(&layout, &image);
        let result = Layout::open(layout.path(), Limits::default()).and_then(|layout| {
            let image = Image::load(&layout, &layout.resolve("v1")?)?;
            image.visit(&layout, &mut |_| Ok(()))
        });
        let error = result.expect_err(name);
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        assert!(text.contains(part), "{name}: {text}");
    }
}

fn flip(layout: &Layout, descriptor: &Descriptor) {
    let path = layout.blob_path(&descriptor.digest);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn tags_move_and_twice_given_tags_are_refused() {
    let (_keep, layout, image) = sample();
    layout.tag(&image.descriptor, "v2").unwrap();
    assert_eq!(layout.resolve("v1").unwrap().digest, layout.resolve("v2").unwrap().digest);
    assert_eq!(layout.resolve(&image.descriptor.digest.to_string()).unwrap().digest, image.descriptor.digest);
    assert!(matches!(layout.resolve("v3"), Err(Error::NotFound { .. })));
    let mut index = layout.index().unwrap();
    index.manifests.push(index.manifests[0].clone());
    fs::write(layout.path().join("index.json"), index.to_bytes().unwrap()).unwrap();
    assert!(matches!(layout.resolve("v1"), Err(Error::Malformed { .. })));
}

#[test]
fn a_sweep_removes_what_nothing_leads_to_and_nothing_else() {
    let (_keep, layout, image) = sample();
    layout.attach(&image.descriptor, "a/b", b"doc", BTreeMap::new()).unwrap();
    assert!(layout.sweep().unwrap().is_empty());
    let stray = layout.write_blob("a/b", b"stray").unwrap();
    fs::write(layout.path().join(".lotse-tmp-1-1"), "half").unwrap();
    assert_eq!(layout.sweep().unwrap().len(), 2);
    assert!(!layout.has_blob(&stray.digest));
    Image::load(&layout, &layout.resolve("v1").unwrap()).unwrap().visit(&layout, &mut |_| Ok(())).unwrap();
    assert_eq!(layout.referrers(&image.descriptor.digest).unwrap().len(), 1);
}

#[test]
fn documents_are_read_strictly() {
    let limits = Limits::default();
    let digest = Digest::sha256(b"{}");
    let descriptor =
        format!(r#"{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{digest}","size":2}}"#);
    let manifest = format!(r#"{{"schemaVersion":2,"config":{descriptor},"layers":[]}}"#);
    assert!(Manifest::parse(manifest.as_bytes(), &limits).is_ok());
    let ambiguous = format!(r#"{{"schemaVersion":2,"config":{descriptor},"layers":[],"manifests":[]}}"#);
    for (name, text) in [
        ("CVE-2021-41190, a manifest that is an index too", ambiguous.clone()),
        ("schema 1", manifest.replace("\"schemaVersion\":2", "\"schemaVersion\":1")),
        ("negative size (image-spec#1285)", manifest.replace("\"size\":2", "\"size\":-2")),
        (
            "overflowing size (image-spec#1285)",
            manifest.replace("\"size\":2", "\"size\":18446744073709551616"),
        ),
        ("upper-case digest", manifest.replace(&digest.encoded(), &digest.encoded().to_uppercase())),
        ("another media type", manifest.replace("{\"schema", "{\"mediaType\":\"text/plain\",\"schema")),
        ("a member twice", manifest.replace("\"layers\":[]", "\"layers\":[],\"layers\":[]")),
        (
            "an annotation twice",
            manifest.replace("\"layers\":[]", r#""layers":[],"annotations":{"a":"1","a":"2"}"#),
        ),
    ] {
        assert!(
            matches!(Manifest::parse(text.as_bytes(), &limits), Err(Error::Malformed { .. })),
            "{name}: {text}"
        );
    }
    assert!(Index::parse(ambiguous.as_bytes(), &limits).is_err());
    let small = Limits { document_bytes: 10, ..limits };
    assert!(matches!(Manifest::parse(manifest.as_bytes(), &small), Err(Error::Limit { .. })));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(Manifest::parse(deep.as_bytes(), &limits).is_err(), "nesting is bounded");
}

#[test]
fn unknown_members_survive_a_round_trip() {
    let text = r#"{"architecture":"amd64","config":{"ArgsEscaped":true,"Env":["A=b"]},"created":"2020-01-01T00:00:00Z","os":"linux","rootfs":{"diff_ids":[],"type":"layers"},"os.version":"10"}"#;
    let config = ImageConfig::parse(text.as_bytes(), &Limits::default()).unwrap();
    let again = String::from_utf8(config.to_bytes().unwrap()).unwrap();
    assert!(again.contains("\"ArgsEscaped\":true") && again.contains("\"os.version\":\"10\""), "{again}");
    assert_eq!(ImageConfig::parse(again.as_bytes(), &Limits::default()).unwrap(), config);
}

#[cfg(feature = "oci-spec")]
#[test]
fn oci_spec_holds_what_we_write_and_says_what_it_cannot_hold() {
    let (_keep, layout, image) = sample();
    let theirs = oci_spec::image::ImageManifest::try_from(&image.manifest).unwrap();
    assert_eq!(theirs.layers().len(), 1);
    assert_eq!(Manifest::try_from(&theirs).unwrap(), image.manifest);
    let theirs = oci_spec::image::ImageConfiguration::try_from(&image.config).unwrap();
    assert_eq!(ImageConfig::try_from(&theirs).unwrap().rootfs, image.config.rootfs);
    assert!(oci_spec::image::ImageIndex::try_from(&layout.index().unwrap()).is_ok());
    let text = r#"{"architecture":"amd64","os":"linux","rootfs":{"diff_ids":[],"type":"layers"},"x-unknown":"lost there"}"#;
    let config = ImageConfig::parse(text.as_bytes(), &Limits::default()).unwrap();
    let error = oci_spec::image::ImageConfiguration::try_from(&config).unwrap_err().to_string();
    assert!(error.contains("/x-unknown"), "{error}");
}

#[test]
fn a_blob_named_by_another_algorithm_keeps_its_name_when_it_is_imported() {
    let (from, to) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let from = Layout::create(from.path(), Limits::default()).unwrap();
    let to = Layout::create(to.path(), Limits::default()).unwrap();
    let content = b"named by SHA-512";
    let digest = lotse_digest::Digest::of(lotse_digest::Algorithm::Sha512, content);
    let path = from.blob_path(&digest);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    let blob = lotse_oci::Descriptor::new("application/octet-stream", digest.clone(), content.len() as u64);
    to.import(&from, &blob).unwrap();
    assert_eq!(std::fs::read(to.blob_path(&digest)).unwrap(), content);
}

#[test]
fn members_that_are_not_known_survive_in_manifests_and_indexes() {
    let config = r#"{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}"#;
    let manifest =
        format!(r#"{{"schemaVersion":2,"config":{config},"layers":[],"org.example":{{"b":1,"a":[true]}}}}"#);
    let index = r#"{"schemaVersion":2,"manifests":[],"org.example":"kept"}"#;
    let limits = Limits::default();
    let written = lotse_oci::Manifest::parse(manifest.as_bytes(), &limits).unwrap().to_bytes().unwrap();
    assert!(String::from_utf8(written).unwrap().ends_with(r#","org.example":{"a":[true],"b":1}}"#));
    let written = lotse_oci::Index::parse(index.as_bytes(), &limits).unwrap().to_bytes().unwrap();
    assert!(String::from_utf8(written).unwrap().ends_with(r#","org.example":"kept"}"#));
}
