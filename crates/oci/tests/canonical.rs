//! `lotse-layer/1` is frozen: inputs by recipe, and the digests that their bytes must have for ever.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::num::NonZeroUsize;

use flate2::read::MultiGzDecoder;
use lotse_digest::Digest;
use lotse_oci::{
    ArtifactBuilder, Compression, FileTree, GzipWriter, Image, ImageBuilder, IndexBuilder, LayerOptions,
    Layout, Limits, Platform,
};
use proptest::prelude::*;

const GOLDEN: &str = include_str!("data/lotse-layer-1.txt");

/// The recipe of the golden bytes: a multiplicative generator, its high byte.
struct Bytes(u64);

impl Bytes {
    fn next(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 56) as u8
    }

    fn random(seed: u64, length: usize) -> Vec<u8> {
        let mut bytes = Self(seed);
        (0..length).map(|_| bytes.next()).collect()
    }

    /// Words of a small vocabulary, numbers and line ends: what sources look like to a compressor.
    fn words(seed: u64, length: usize) -> Vec<u8> {
        let mut bytes = Self(seed);
        let vocabulary: Vec<Vec<u8>> =
            (0..200u8).map(|word| (0..2 + word % 9).map(|_| b'a' + bytes.next() % 26).collect()).collect();
        let mut text = Vec::with_capacity(length + 16);
        while text.len() < length {
            match bytes.next() {
                0..20 => text.extend_from_slice(b"\n    "),
                20..40 => text.extend_from_slice(format!("{}", u32::from(bytes.next()) * 7919).as_bytes()),
                _ => {
                    let word = usize::from(bytes.next()) * usize::from(bytes.next()) / 326;
                    text.extend_from_slice(&vocabulary[word.min(199)]);
                    text.push(b' ');
                }
            }
        }
        text.truncate(length);
        text
    }

    /// Records of sixteen bytes whose columns change at different rates: what programs look like.
    fn records(seed: u64, length: usize) -> Vec<u8> {
        let mut bytes = Self(seed);
        let mut record = [0u8; 16];
        let mut out = Vec::with_capacity(length + 16);
        while out.len() < length {
            record[0] = record[0].wrapping_add(1);
            record[usize::from(bytes.next() % 4)] = bytes.next();
            if bytes.next() < 8 {
                record[8..].copy_from_slice(&Self::random(bytes.0, 8));
            }
            out.extend_from_slice(&record);
        }
        out.truncate(length);
        out
    }
}

fn gzip(content: &[u8], threads: usize) -> Vec<u8> {
    let mut gzip = GzipWriter::new(Vec::new(), NonZeroUsize::new(threads).unwrap());
    gzip.write_all(content).unwrap();
    gzip.finish().unwrap()
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut content).unwrap();
    content
}

const PIECE: usize = 512 << 10;

fn streams() -> Vec<(String, Vec<u8>)> {
    let mut streams = vec![
        ("empty".to_owned(), Vec::new()),
        ("hello".to_owned(), b"hello hello hello\n".to_vec()),
        ("one zero".to_owned(), vec![0]),
        ("all bytes".to_owned(), (0..=255).collect()),
        ("zeros 3 MiB".to_owned(), vec![0; 3 << 20]),
        ("random 300,000".to_owned(), Bytes::random(1, 300_000)),
        ("words 1 MiB".to_owned(), Bytes::words(2, 1 << 20)),
        ("records 1 MiB".to_owned(), Bytes::records(3, 1 << 20)),
    ];
    for length in [PIECE - 1, PIECE, PIECE + 1, PIECE + 3, 2 * PIECE] {
        streams.push((format!("words {length}"), Bytes::words(4, length)));
    }
    let mut mixed = Vec::new();
    for part in 0..24 {
        mixed.extend(match part % 4 {
            0 => Bytes::words(part, 70_000),
            1 => Bytes::records(part, 50_000),
            2 => Bytes::random(part, 20_000),
            _ => vec![b'-'; 40_000],
        });
    }
    streams.push(("mixed".to_owned(), mixed));
    // A block of bytes that comes again at the farthest distance a match may have, and one byte farther.
    for distance in [32_768, 32_769] {
        let block = Bytes::random(9, 300);
        let between = Bytes::random(10, distance - 300);
        streams.push((format!("again after {distance}"), [block.clone(), between, block].concat()));
    }
    streams
}

fn tree() -> FileTree {
    let mut tree = FileTree::new();
    tree.file("etc/motd", b"hello\n".to_vec()).unwrap();
    tree.executable("usr/bin/tool", Bytes::records(5, 100_000)).unwrap();
    tree.hardlink("usr/bin/a-link", "usr/bin/tool").unwrap();
    tree.symlink("usr/lib", "../lib").unwrap();
    tree.directory("empty").unwrap();
    tree.file("a-b", b"1".to_vec()).unwrap();
    tree.file("a/c", b"2".to_vec()).unwrap();
    tree.file("grün/straße", b"3".to_vec()).unwrap();
    tree.file(&format!("long/{}", "n".repeat(101)), b"4".to_vec()).unwrap();
    tree.file(&format!("{}/{}", "p".repeat(90), "n".repeat(90)), b"5".to_vec()).unwrap();
    tree.symlink("far", &"t".repeat(140)).unwrap();
    tree.set_attributes("etc/motd", 2_097_152, 7, 0o4640).unwrap();
    tree.set_xattr("usr/bin/tool", "security.capability", &[1, 0, 0, 2, 0, b'\n', 255]).unwrap();
    tree.whiteout("etc/passwd").unwrap();
    tree.opaque("var/cache").unwrap();
    tree
}

/// Name and digest of everything that is frozen.
fn actual() -> BTreeMap<String, Digest> {
    let mut actual = BTreeMap::new();
    for (name, content) in streams() {
        let bytes = gzip(&content, 1);
        assert_eq!(gunzip(&bytes), content, "{name}: another decoder gives back what was compressed");
        actual.insert(format!("gzip {name}"), Digest::sha256(&bytes));
    }
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::create(directory.path(), Limits::default()).unwrap();
    let layer = |name: &str, tree: &FileTree, mtime: u64, actual: &mut BTreeMap<_, _>| {
        let plain = layout.write_layer(tree, &LayerOptions::new(Compression::None, mtime)).unwrap();
        assert_eq!(
            plain.descriptor.digest, plain.diff_id,
            "an archive without compression is its own diffID"
        );
        actual.insert(format!("tar {name}"), plain.diff_id);
        let layer = layout.write_layer(tree, &LayerOptions::new(Compression::Gzip, mtime)).unwrap();
        actual.insert(format!("layer {name}"), layer.descriptor.digest.clone());
        layer
    };
    layer("empty", &FileTree::new(), 0, &mut actual);
    layer("year 2242", &tree(), 8_589_934_592, &mut actual);
    let layer = layer("tree", &tree(), 1_700_000_000, &mut actual);

    let build = |platform: &str| -> Image {
        ImageBuilder::scratch(&platform.parse::<Platform>().unwrap())
            .layer(&layer, "copy the tree")
            .configure(|config| {
                config.config.entrypoint = Some(vec!["/usr/bin/tool".to_owned()]);
                config.config.env = Some(vec!["B=2".to_owned(), "A=ü".to_owned()]);
                config.config.user = Some("65532:65532".to_owned());
                config.config.labels.insert("z".to_owned(), "1".to_owned());
                config.config.labels.insert("a".to_owned(), "\"\u{1}\u{7f}\u{2028}".to_owned());
            })
            .created("2026-11-21T10:00:00Z")
            .annotation("org.opencontainers.image.revision", "0123456789abcdef")
            .write(&layout, platform)
            .unwrap()
    };
    let (amd64, arm64) = (build("linux/amd64"), build("linux/arm64/v8"));
    actual.insert("config".to_owned(), amd64.manifest.config.digest.clone());
    actual.insert("manifest".to_owned(), amd64.descriptor.digest.clone());
    let index =
        IndexBuilder::new().image(&arm64).image(&amd64).annotation("a", "b").write(&layout, "all").unwrap();
    actual.insert("index".to_owned(), index.digest);
    let chart = ArtifactBuilder::helm_chart(br#"{"name":"chart","version":"1.0.0"}"#, &layer);
    actual.insert("helm chart".to_owned(), chart.write(&layout, Some("1.0.0")).unwrap().digest);
    let report = ArtifactBuilder::new("application/vnd.example.report").subject(&amd64.descriptor);
    let report = report.file(&layout, "report.txt", "text/plain", b"fine\n").unwrap();
    actual.insert("artifact".to_owned(), report.write(&layout, None).unwrap().digest);
    actual
}

#[test]
fn the_bytes_of_version_1_never_change() {
    let actual: String = actual().iter().map(|(name, digest)| format!("{name}\t{digest}\n")).collect();
    let golden: String =
        GOLDEN.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    assert!(
        actual == golden,
        "these bytes are frozen: a change is a new version beside this one, never an edit of the table\n{actual}"
    );
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    for (name, content) in streams() {
        let one = gzip(&content, 1);
        for threads in [2, 3, 8] {
            assert_eq!(gzip(&content, threads), one, "{name} with {threads} threads");
        }
    }
}

#[test]
fn an_encoder_that_is_used_again_forgets_the_piece_before() {
    // Behind a long piece the tables and the buffer hold its bytes; a short one after it must not see them.
    let mut content = Bytes::words(20, 3 * PIECE);
    content.extend_from_slice(b"abc");
    let (one, many) = (gzip(&content, 1), gzip(&content, 4));
    assert_eq!(one, many, "pieces by one encoder in a row, and by four");
    assert_eq!(gunzip(&one), content);
}

#[test]
fn it_stays_near_zlib_at_level_6_on_what_suits_it_least() {
    for (name, content) in streams().into_iter().filter(|(_, content)| content.len() > 100_000) {
        let mut zlib = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        zlib.write_all(&content).unwrap();
        let (theirs, ours) = (zlib.finish().unwrap().len(), gzip(&content, 1).len());
        // Words drawn by chance have many near misses, and zlib looks at more of them. Each piece has an end of its own.
        let allowed = theirs + theirs / 40 + 32 * (content.len() / PIECE + 1);
        assert!(ours <= allowed, "{name}: {ours} bytes against {theirs}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_compressed_comes_back_however_it_was_written(
        parts in prop::collection::vec((any::<u64>(), 0u8..4, 0usize..60_000), 0..12),
        cuts in prop::collection::vec(1usize..70_000, 1..8),
        threads in 1usize..4,
    ) {
        let mut content = Vec::new();
        for (seed, kind, length) in parts {
            content.extend(match kind {
                0 => Bytes::words(seed, length),
                1 => Bytes::records(seed, length),
                2 => Bytes::random(seed, length),
                _ => vec![seed as u8; length],
            });
        }
        let whole = gzip(&content, 1);
        prop_assert_eq!(gunzip(&whole), &content[..]);
        let mut gzip = GzipWriter::new(Vec::new(), NonZeroUsize::new(threads).unwrap());
        let (mut rest, mut cuts) = (&content[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let (part, after) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            gzip.write_all(part).unwrap();
            rest = after;
        }
        prop_assert_eq!(gzip.finish().unwrap(), whole, "any cut of the input gives the same bytes");
    }
}
