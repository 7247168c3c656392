//! Two images that differ in one way, and what the comparison says of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

mod archive;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::num::NonZeroUsize;

use archive::{archive, entry, file, fix, pax, record};
use lotse_digest::Digest;
use lotse_oci::{
    Cause, Comparison, Compression, Descriptor, GzipWriter, Image, ImageBuilder, Layer, Layout, Limits,
    NormalizeOptions, Platform, normalize,
};
use tempfile::TempDir;

const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn layout() -> (TempDir, Layout) {
    let directory = TempDir::new().unwrap();
    let layout = Layout::create(directory.path().join("layout"), Limits::default()).unwrap();
    (directory, layout)
}

fn platform() -> Platform {
    Platform::new("linux", "amd64")
}

/// A blob of an archive, compressed by something.
type Compress = fn(&[u8]) -> Vec<u8>;

fn ours(archive: &[u8]) -> Vec<u8> {
    let mut gzip = GzipWriter::new(Vec::new(), NonZeroUsize::MIN);
    gzip.write_all(archive).unwrap();
    gzip.finish().unwrap()
}

fn flate(level: u32, name: Option<&str>, mtime: u32, archive: &[u8]) -> Vec<u8> {
    let mut builder = flate2::GzBuilder::new().mtime(mtime);
    if let Some(name) = name {
        builder = builder.filename(name);
    }
    let mut gzip = builder.write(Vec::new(), flate2::Compression::new(level));
    gzip.write_all(archive).unwrap();
    gzip.finish().unwrap()
}

fn build(
    layout: &Layout,
    archive: &[u8],
    compress: Compress,
    change: impl FnOnce(ImageBuilder) -> ImageBuilder,
) -> Image {
    let descriptor = layout.write_blob(GZIP, &compress(archive)).unwrap();
    let layer = Layer { descriptor, diff_id: Digest::sha256(archive), tar_size: archive.len() as u64 };
    change(ImageBuilder::scratch(&platform()).layer(&layer, "copy")).write(layout, "test").unwrap()
}

fn same(builder: ImageBuilder) -> ImageBuilder {
    builder
}

/// An entry with another value in a field of its header.
fn with(mut bytes: Vec<u8>, offset: usize, value: &str) -> Vec<u8> {
    bytes[offset..offset + value.len()].copy_from_slice(value.as_bytes());
    fix(&mut bytes);
    bytes
}

fn text() -> Vec<u8> {
    (0..3000u32)
        .flat_map(|number| format!("line {} of a program\n", number * number % 977).into_bytes())
        .collect()
}

fn plain() -> Vec<u8> {
    archive(&[
        entry(b'5', "app/", "", b""),
        file("app/a", &text()),
        file("app/b", b"b"),
        entry(b'2', "app/l", "a", b""),
    ])
}

#[track_caller]
fn differ(name: &str, layout: &Layout, left: &Image, right: &Image, expected: &[Cause], words: &str) {
    assert_ne!(left.descriptor.digest, right.descriptor.digest, "{name}");
    for (left, right) in [(left, right), (right, left)] {
        let comparison = Comparison::of(layout, &left.descriptor, layout, &right.descriptor).unwrap();
        let mirrored = |cause: &Cause| match cause {
            Cause::Extra => Cause::Missing,
            Cause::Missing => Cause::Extra,
            other => *other,
        };
        let expected: BTreeSet<Cause> = expected.iter().copied().collect();
        let turned: BTreeSet<Cause> = expected.iter().map(mirrored).collect();
        let causes = comparison.causes();
        assert!(causes == expected || causes == turned, "{name}: {}", comparison.explain());
        assert!(comparison.explain().contains(words), "{name}: {}", comparison.explain());
        let json = serde_json::to_value(&comparison).unwrap();
        assert_eq!(json["differences"].as_array().unwrap().len(), comparison.differences.len());
    }
}

#[test]
fn ten_pairs_that_differ_in_one_way_are_explained() {
    let (_keep, layout) = layout();
    let base = build(&layout, &plain(), ours, same);
    let file_a = || file("app/a", &text());
    let around = |a: Vec<u8>| {
        archive(&[entry(b'5', "app/", "", b""), a, file("app/b", b"b"), entry(b'2', "app/l", "a", b"")])
    };
    let archives: Vec<(&str, Vec<u8>, &[Cause], &str)> = vec![
        (
            "1 mtime",
            around(with(file_a(), 136, "00000000017")),
            &[Cause::Time],
            "layer 0, \"app/a\", mtime: ",
        ),
        (
            "1 mtime in PAX",
            around([pax(&record("mtime", "15.5")), file_a()].concat()),
            &[Cause::Time],
            "PAX record \"mtime\"",
        ),
        ("2 owner", around(with(file_a(), 108, "0001750")), &[Cause::Owner], "uid: "),
        ("2 name of the owner", around(with(file_a(), 265, "root")), &[Cause::Owner], "uname: "),
        (
            "3 order",
            archive(&[
                entry(b'5', "app/", "", b""),
                file("app/b", b"b"),
                file_a(),
                entry(b'2', "app/l", "a", b""),
            ]),
            &[Cause::Order],
            "order of the archive",
        ),
        (
            "6 PAX",
            around([pax(&record("atime", "15.5")), file_a()].concat()),
            &[Cause::Pax],
            "PAX record \"atime\"",
        ),
        ("7 file", around(file("app/a", &text()[1..])), &[Cause::Content], "content from byte 0 on"),
        (
            "7 file, its last byte",
            around(file("app/a", &[&text()[..text().len() - 1], b"!"].concat())),
            &[Cause::Content],
            "content from byte",
        ),
        (
            "7 file more",
            around([file_a(), file("app/aa", b"")].concat()),
            &[Cause::Extra],
            "\"app/aa\", entry",
        ),
        ("mode", around(with(file_a(), 100, "0000755")), &[Cause::Mode], "mode: "),
        (
            "xattr",
            around([pax(&record("SCHILY.xattr.user.a", "b")), file_a()].concat()),
            &[Cause::Xattr],
            "user.a",
        ),
        ("form of a number", around(with(file_a(), 100, "000644 ")), &[Cause::TarFormat], "mode: "),
        ("form of a name", around(file("./app/a", &text())), &[Cause::TarFormat], "name: "),
        ("GNU's magic", around(with(file_a(), 257, "ustar  \0")), &[Cause::TarFormat], "magic: "),
        ("end", [plain(), vec![0; 9216]].concat(), &[Cause::TarFormat], "end of the archive"),
        (
            "link",
            archive(&[
                entry(b'5', "app/", "", b""),
                file_a(),
                file("app/b", b"b"),
                entry(b'2', "app/l", "b", b""),
            ]),
            &[Cause::Link],
            "linkname: ",
        ),
    ];
    for (name, archive, causes, words) in archives {
        differ(name, &layout, &base, &build(&layout, &archive, ours, same), causes, words);
    }
    let six: Compress = |archive| flate(6, None, 0, archive);
    let blobs: Vec<(&str, Compress, Compress, &[Cause], &str)> = vec![
        ("4 compressor", ours, six, &[Cause::Compressor], "encoder of the blob"),
        ("5 level", |archive| flate(3, None, 0, archive), six, &[Cause::Level], "level of the blob: "),
        (
            "5 level, said in the header too",
            |archive| flate(1, None, 0, archive),
            |archive| flate(9, None, 0, archive),
            &[Cause::Level],
            "level of the blob: ",
        ),
        (
            "gzip's name",
            six,
            |archive| flate(6, Some("layer.tar"), 0, archive),
            &[Cause::GzipHeader],
            "name in the gzip header",
        ),
        (
            "gzip's time",
            six,
            |archive| flate(6, None, 1_700_000_000, archive),
            &[Cause::GzipHeader],
            "time in the gzip header",
        ),
    ];
    for (name, left, right, causes, words) in blobs {
        let (left, right) = (build(&layout, &plain(), left, same), build(&layout, &plain(), right, same));
        differ(name, &layout, &left, &right, causes, words);
    }
    type Change = fn(ImageBuilder) -> ImageBuilder;
    let documents: Vec<(&str, Change, &[Cause], &str)> = vec![
        (
            "8 member of the configuration",
            |builder| builder.configure(|config| config.config.user = Some("999:999".to_owned())),
            &[Cause::ConfigField],
            "configuration /config/User",
        ),
        (
            "9 annotation",
            |builder| builder.annotation("a/b", "c"),
            &[Cause::Annotation],
            "manifest /annotations/a~1b",
        ),
        (
            "10 platform",
            |builder| builder.configure(|config| config.architecture = "arm64".to_owned()),
            &[Cause::Platform],
            "configuration /architecture",
        ),
        (
            "history",
            |builder| builder.configure(|config| config.history[0].created_by = Some("another".to_owned())),
            &[Cause::History],
            "configuration /history/0/created_by",
        ),
        (
            "time of creation",
            |builder| builder.configure(|config| config.created = Some("2026-01-01T00:00:00Z".to_owned())),
            &[Cause::Created],
            "configuration /created",
        ),
    ];
    for (name, change, causes, words) in documents {
        differ(name, &layout, &base, &build(&layout, &plain(), ours, change), causes, words);
    }
}

#[test]
fn several_ways_at_once_are_all_named() {
    let (_keep, layout) = layout();
    let left = build(&layout, &plain(), ours, same);
    let other = archive(&[
        with(entry(b'5', "app/", "", b""), 136, "00000000017"),
        with(file("app/b", b"c"), 108, "0001750"),
        with(file("app/a", &text()), 100, "0000600"),
        entry(b'5', "app/l/", "", b""),
    ]);
    let right =
        build(&layout, &other, |archive| flate(6, None, 0, archive), |builder| builder.annotation("a", "b"));
    let expected = [
        Cause::Time,
        Cause::Owner,
        Cause::Mode,
        Cause::Kind,
        Cause::Content,
        Cause::Order,
        Cause::TarFormat,
        Cause::Compressor,
        Cause::Annotation,
        Cause::Link,
    ];
    let comparison = Comparison::of(&layout, &left.descriptor, &layout, &right.descriptor).unwrap();
    let mut causes = comparison.causes();
    // The link is no link on the other side; its name ends with a slash there.
    causes.extend([Cause::Link, Cause::TarFormat]);
    assert_eq!(causes, expected.into_iter().collect(), "{}", comparison.explain());
    let same = Comparison::of(&layout, &left.descriptor, &layout, &left.descriptor).unwrap();
    assert!(same.is_same() && same.differences.is_empty() && same.explain().starts_with("the same: sha256:"));
}

#[test]
fn documents_differ_by_their_form_too() {
    let (_keep, layout) = layout();
    let base = build(&layout, &plain(), ours, same);
    let bytes = layout.read_blob(&base.descriptor).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let spaced = serde_json::to_vec_pretty(&value).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (config, layers) = text.split_once(",\"layers\"").unwrap();
    let (layers, rest) = layers.split_once(",\"mediaType\":\"application/vnd.oci.image.manifest").unwrap();
    let turned = format!(
        "{{\"layers\"{layers},{},\"mediaType\":\"application/vnd.oci.image.manifest{rest}",
        &config[1..]
    );
    for (name, bytes, words) in
        [("white space", spaced, "white space"), ("order", turned.into_bytes(), "comes first")]
    {
        let descriptor = layout.write_blob(MANIFEST, &bytes).unwrap();
        let right = Image { descriptor, ..base.clone() };
        differ(name, &layout, &base, &right, &[Cause::JsonForm], words);
    }
}

#[test]
fn indexes_are_compared_image_by_image() {
    let (_keep, layout) = layout();
    let image = |architecture: &str, archive: &[u8]| {
        build(&layout, archive, ours, |builder| {
            builder.configure(|config| config.architecture = architecture.to_owned())
        })
    };
    let other = archive(&[entry(b'5', "app/", "", b""), file("app/a", b"another")]);
    let (amd, arm, changed) = (image("amd64", &plain()), image("arm64", &plain()), image("arm64", &other));
    let index = |images: &[&Descriptor]| -> Descriptor {
        let list: Vec<serde_json::Value> =
            images.iter().map(|image| serde_json::to_value(image).unwrap()).collect();
        let document = serde_json::json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": list});
        layout
            .write_blob("application/vnd.oci.image.index.v1+json", &serde_json::to_vec(&document).unwrap())
            .unwrap()
    };
    let compare =
        |left: &Descriptor, right: &Descriptor| Comparison::of(&layout, left, &layout, right).unwrap();
    let both = index(&[&amd.descriptor, &arm.descriptor]);
    let turned = compare(&both, &index(&[&arm.descriptor, &amd.descriptor]));
    assert_eq!(turned.causes(), [Cause::ManifestOrder].into(), "{}", turned.explain());
    let inside = compare(&both, &index(&[&amd.descriptor, &changed.descriptor]));
    assert!(inside.explain().contains("linux/arm64, layer 0, \"app/a\", content"), "{}", inside.explain());
    assert!(!inside.explain().contains("linux/amd64"), "{}", inside.explain());
    let fewer = compare(&both, &index(&[&amd.descriptor]));
    assert!(
        fewer.causes().contains(&Cause::Missing) || fewer.causes().contains(&Cause::Platform),
        "{}",
        fewer.explain()
    );
    assert!(Comparison::of(&layout, &both, &layout, &amd.descriptor).is_err(), "an index and an image");
}

#[test]
fn no_byte_of_an_archive_differs_without_a_cause() {
    let (_keep, layout) = layout();
    let rich = archive(&[
        entry(b'g', "g", "", record("comment", "commit").as_bytes()),
        entry(b'5', "app/", "", b""),
        pax(&[record("SCHILY.xattr.user.a", "b"), record("path", "app/long"), record("mtime", "7.5")]
            .concat()),
        file("short", b"content"),
        entry(b'L', "././@LongLink", "", b"app/gnu\0"),
        file("cut", b"x"),
        entry(b'2', "app/l", "long", b""),
        entry(b'1', "app/h", "app/long", b""),
    ]);
    let image = |bytes: &[u8]| -> Image {
        let descriptor = layout.write_blob(archive::PLAIN, bytes).unwrap();
        let layer = Layer { descriptor, diff_id: Digest::sha256(bytes), tar_size: bytes.len() as u64 };
        ImageBuilder::scratch(&platform()).layer(&layer, "copy").write(&layout, "test").unwrap()
    };
    let base = image(&rich);
    let (mut explained, mut refused) = (0, 0);
    for at in (0..rich.len() - 1024).filter(|at| at % 29 == 0 || at % 512 == 156) {
        let mut bytes = rich.clone();
        bytes[at] ^= 1;
        // A header whose checksum is right again; content is left alone by this.
        let block = at / 512 * 512;
        if rich[block + 257..block + 262] == *b"ustar" && !(148..156).contains(&(at % 512)) {
            fix(&mut bytes[block..block + 512]);
        }
        let changed = image(&bytes);
        match Comparison::of(&layout, &base.descriptor, &layout, &changed.descriptor) {
            Ok(comparison) => {
                assert!(!comparison.causes().is_empty(), "byte {at}: {comparison:#?}");
                explained += 1;
            }
            Err(_) => refused += 1,
        }
    }
    assert!(explained > 100 && refused >= 5, "{explained} explained, {refused} refused");
}

#[test]
fn ten_builds_of_one_commit_become_one_digest() {
    let (_keep, layout) = layout();
    let mut digests = BTreeSet::new();
    let mut normalized = BTreeSet::new();
    for build_number in 0..10usize {
        // Each build as another builder makes it: clock, user, umask, order, form, compressor.
        let touch = |bytes: Vec<u8>, directory: bool| {
            let mode = match (directory, build_number % 3) {
                (true, 0) => "0000755",
                (true, _) => "0000775",
                (false, 0) => "0000644",
                (false, 1) => "0000664",
                (false, _) => "0000600",
            };
            let bytes = with(bytes, 100, mode);
            let bytes = with(bytes, 108, ["0000000", "0001750"][build_number % 2]);
            with(bytes, 136, &format!("{:011o}", 1_700_000_000 + build_number * 3600))
        };
        let mut entries = vec![
            touch(entry(b'5', "app/", "", b""), true),
            touch(file("app/a", &text()), false),
            touch(file("app/b", b"b"), false),
            touch(entry(b'5', "app/c/", "", b""), true),
        ];
        let last = entries.len() - 1;
        entries[1..].rotate_left(build_number % last);
        if build_number % 4 == 1 {
            entries.insert(0, pax(&record("atime", "15.5")));
        }
        let mut bytes = archive(&entries);
        if build_number % 4 == 2 {
            bytes.resize(bytes.len().next_multiple_of(10_240), 0);
        }
        let compress: Compress = [
            ours as Compress,
            |archive| flate(6, None, 0, archive),
            |archive| flate(9, Some("layer.tar"), 1, archive),
        ][build_number % 3];
        let built = build(&layout, &bytes, compress, |builder| {
            builder.created(&format!("2026-01-{:02}T00:00:00Z", build_number + 1))
        });
        digests.insert(built.descriptor.digest.clone());
        let options = NormalizeOptions {
            mtime: 1_700_000_000,
            created: Some("2026-01-01T00:00:00Z"),
            compression: Compression::Gzip,
        };
        let image = normalize(&layout, &built, &layout, &options, "normal").unwrap();
        let comparison = Comparison::of(&layout, &built.descriptor, &layout, &image.descriptor).unwrap();
        assert!(!comparison.causes().contains(&Cause::Content), "no file changed: {}", comparison.explain());
        normalized.insert(image.descriptor.digest);
    }
    assert_eq!((digests.len(), normalized.len()), (10, 1));
    let left: Vec<String> = std::fs::read_dir(layout.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".lotse"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_is_normal_stays_as_it_is() {
    let (_keep, layout) = layout();
    let base = archive(&[
        entry(b'5', "d/", "", b""),
        file("d/f", &text()),
        entry(b'1', "d/h", "d/f", b""),
        entry(b'2', "d/l", "f", b""),
        with(file("run", b"#!"), 100, "0000711"),
        [pax(&record("SCHILY.xattr.user.a", "b")), file("x", b"")].concat(),
    ]);
    let upper = archive(&[
        entry(b'5', "d/", "", b""),
        file("d/.wh.f", b""),
        file(".wh.x", b""),
        entry(b'5', "e/", "", b""),
        file("e/.wh..wh..opq", b""),
    ]);
    let mut builder = ImageBuilder::scratch(&platform());
    for bytes in [&base, &upper] {
        let descriptor = layout.write_blob(GZIP, &ours(bytes)).unwrap();
        let layer = Layer { descriptor, diff_id: Digest::sha256(bytes), tar_size: 0 };
        builder = builder.layer(&layer, "copy");
    }
    let image = builder.write(&layout, "test").unwrap();
    let options = NormalizeOptions { mtime: 0, created: None, compression: Compression::Gzip };
    let once = normalize(&layout, &image, &layout, &options, "once").unwrap();
    let twice = normalize(&layout, &once, &layout, &options, "twice").unwrap();
    assert_eq!(once.descriptor.digest, twice.descriptor.digest, "a fixed point");
    let visible = |image: &Image| {
        let system = lotse_oci::FileSystem::of(&layout, image).unwrap();
        system
            .iter()
            .map(|(path, file)| (path.to_owned(), file.kind.clone(), file.size, file.xattrs.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(visible(&image), visible(&once));
    let device = archive(&[entry(b'3', "dev", "", b"")]);
    let image = build(&layout, &device, ours, same);
    assert!(normalize(&layout, &image, &layout, &options, "device").is_err());
}
