//! Untrusted layers: each attack of the field by its name, and the rules of whiteouts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

mod archive;

use archive::{archive, entry, file, fix, image, paths, pax, record, sized};
use lotse_digest::Digest;
use lotse_oci::{
    Compression, Error, FileSystem, FileTree, Image, ImageBuilder, ImageConfig, LayerOptions, Limits,
    Omission, Platform, UnpackOptions, unpack, visit_layer,
};
use proptest::prelude::*;

#[test]
fn every_smuggling_and_traversal_attack_is_refused_by_name() {
    let phantom = file("phantom", b"");
    let table: Vec<(&str, Vec<u8>)> = vec![
        ("go-containerregistry PR 2227: traversal by '..'", archive(&[file("../escape", b"x")])),
        ("nbc issue 86: '..' in the middle", archive(&[file("a/../../escape", b"x")])),
        ("absolute path", archive(&[file("/etc/passwd", b"x")])),
        ("absolute path by PAX", archive(&[pax(&record("path", "/etc/passwd")), file("safe", b"x")])),
        ("hard link to the outside (CVE-2018-20990)", archive(&[entry(b'1', "l", "../../etc/passwd", b"")])),
        ("empty name", archive(&[file("", b"x")])),
        ("empty component", archive(&[file("a//b", b"x")])),
        ("CVE-2026-32766: malformed PAX record", archive(&[pax("99 path=x\n"), file("a", b"")])),
        ("PAX record without length", archive(&[pax("path=x\n"), file("a", b"")])),
        ("PAX record with a signed length", archive(&[pax("+9 path=x\n"), file("a", b"")])),
        ("PAX record twice", archive(&[pax(&format!("{0}{0}", record("path", "x"))), file("a", b"")])),
        (
            "GHSA-3cv2-h65g-fgmm: two extended headers",
            archive(&[pax(&record("path", "a")), pax(&record("path", "b")), file("c", b"")]),
        ),
        (
            "GHSA-fp55-jw48-c537: PAX before a GNU long name, both naming",
            archive(&[pax(&record("path", "a")), entry(b'L', "x", "", b"b\0"), file("c", b"")]),
        ),
        ("PAX header, then the end", archive(&[pax(&record("path", "a"))])),
        (
            "global header that renames",
            archive(&[entry(b'g', "g", "", record("path", "x").as_bytes()), file("a", b"")]),
        ),
        ("character set of names", archive(&[pax(&record("hdrcharset", "BINARY")), file("a", b"")])),
        ("GNU sparse by PAX", archive(&[pax(&record("GNU.sparse.major", "1")), file("a", b"")])),
        ("GNU sparse by type", archive(&[entry(b'S', "a", "", b"")])),
        ("contiguous file", archive(&[entry(b'7', "a", "", b"")])),
        ("directory with content", archive(&[sized(b'5', "d/", "", &phantom, "00000001000")])),
        ("symbolic link with content", archive(&[sized(b'2', "l", "t", &phantom, "00000001000")])),
        ("symbolic link without target", archive(&[entry(b'2', "l", "", b"")])),
        ("octal junk in the size", archive(&[sized(b'0', "a", "", b"", "0000000000x")])),
        (
            "negative base-256 size",
            archive(&[sized(b'0', "a", "", b"", "\u{7f}")])
                .iter()
                .map(|&b| if b == 0x7f { 0xff } else { b })
                .collect(),
        ),
        ("data after one zero block", [file("a", b""), vec![0; 512], file("b", b""), vec![0; 1024]].concat()),
        (
            "a second archive after the first",
            [archive(&[file("a", b"")]), archive(&[file("b", b"")])].concat(),
        ),
        ("a single zero block", [file("a", b""), vec![0; 512]].concat()),
        ("no end", file("a", b"")),
        ("cut within a file", file("a", &[1; 600])[..800].to_vec()),
        ("checksum", {
            let mut bytes = archive(&[file("a", b"")]);
            bytes[0] = b'b';
            bytes
        }),
        ("name that is not UTF-8", {
            let mut bytes = archive(&[file("a", b"")]);
            bytes[0] = 0xff;
            fix(&mut bytes);
            bytes
        }),
        ("whiteout of nothing", archive(&[file(".wh.", b"")])),
        (
            "CVE-2021-38511: entry below a symbolic link",
            archive(&[entry(b'2', "link", "..", b""), file("link/new/file", b"x")]),
        ),
        ("entry below a file", archive(&[file("a", b""), file("a/b", b"")])),
    ];
    for (name, bytes) in table {
        let (keep, layout, image) = image(std::slice::from_ref(&bytes));
        let error = FileSystem::of(&layout, &image).map(|_| ()).expect_err(name);
        assert!(matches!(error, Error::Malformed { .. } | Error::Unsupported { .. }), "{name}: {error}");
        let target = keep.path().join("root");
        assert!(unpack(&layout, &image, &target, &UnpackOptions::default()).is_err(), "{name}");
        assert_eq!(
            std::fs::read_dir(keep.path()).unwrap().count(),
            1,
            "{name}: nothing is left but the layout"
        );
    }
}

#[test]
fn tarmageddon_the_pax_size_wins_over_the_header() {
    // CVE-2025-62518 and CVE-2026-33055: content must never be parsed as headers.
    let inner = file("phantom", b"");
    for header_size in ["00000000000", "00000000001"] {
        let mut carrier = sized(b'0', "carrier", "", b"", header_size);
        carrier.extend_from_slice(&inner);
        let bytes = archive(&[pax(&record("size", "512")), carrier]);
        assert_eq!(paths(&[bytes]).unwrap(), ["carrier"]);
    }
}

#[test]
fn forms_that_other_writers_use_are_read() {
    let long = "d/".repeat(80) + "file";
    let global = entry(b'g', "pax_global_header", "", record("comment", "commit").as_bytes());
    let bytes = archive(&[
        global,
        entry(b'5', "./", "", b""),
        file("./a", b"x"),
        entry(b'L', "././@LongLink", "", format!("{long}\0").as_bytes()),
        file("cut", b"x"),
        entry(b'0', "olddir/", "", b""),
        entry(b'1', "hard", "a", b""),
        entry(b'3', "dev", "", b""),
    ]);
    let mut padded = bytes;
    padded.resize(padded.len().div_ceil(10_240) * 10_240, 0);
    let (keep, layout, image) = image(&[padded]);
    let system = FileSystem::of(&layout, &image).unwrap();
    for path in ["a", &long, "olddir", "hard", "dev"] {
        assert!(system.get(path).is_some(), "{path}");
    }
    let target = keep.path().join("root");
    let report = unpack(&layout, &image, &target, &UnpackOptions::default()).unwrap();
    assert_eq!(report.left_out, [("dev".to_owned(), Omission::Special)]);
    assert_eq!((report.files, report.bytes), (3, 2));
    assert_eq!(std::fs::read(target.join("hard")).unwrap(), b"x");
}

#[test]
fn whiteouts_hide_lower_layers_only() {
    let base = archive(&[
        file("keep", b"1"),
        file("gone", b"22"),
        file("dir/a", b"333"),
        file("dir/b", b""),
        file("deep/x/y", b""),
    ]);
    let upper = archive(&[
        file(".wh.gone", b""),
        file("dir/new", b""),
        file("dir/.wh..wh..opq", b""),
        file("deep/.wh.x", b""),
        file("both", b""),
        file(".wh.both", b""),
    ]);
    assert_eq!(paths(&[base.clone(), upper]).unwrap(), ["both", "deep", "dir", "dir/new", "keep"]);
    let replaced = archive(&[file("dir", b"now a file")]);
    assert_eq!(
        paths(&[base.clone(), replaced]).unwrap(),
        ["deep", "deep/x", "deep/x/y", "dir", "gone", "keep"]
    );
    // What the same layer puts into a hidden directory stays, and keeps a directory to be in.
    for entries in
        [[file(".wh.dir", b""), file("dir/new", b"")], [file("dir/new", b""), file(".wh.dir", b"")]]
    {
        let found = paths(&[base.clone(), archive(&entries)]).unwrap();
        assert_eq!(found, ["deep", "deep/x", "deep/x/y", "dir", "dir/new", "gone", "keep"]);
    }
    let nothing = archive(&[file("no/such/.wh.x", b""), file("none/.wh..wh..opq", b"")]);
    assert_eq!(paths(&[base.clone(), nothing]).unwrap().len(), 8, "hiding what is not there hides nothing");
    let opaque = archive(&[file(".wh..wh..opq", b""), file("a", b"")]);
    assert_eq!(paths(&[base, opaque]).unwrap(), ["a"], "an opaque root");
}

#[test]
fn on_what_appliers_disagree_it_is_decided_here() {
    let base =
        archive(&[entry(b'5', "real/", "", b""), file("real/f", b"1"), entry(b'2', "link", "real", b"")]);
    let below = paths(&[base.clone(), archive(&[file("link/g", b"")])]).unwrap_err();
    assert!(matches!(below, Error::Unsupported { .. }), "an entry below a lower symbolic link: {below}");
    let explicit = archive(&[entry(b'5', "link/", "", b""), file("link/g", b"")]);
    assert_eq!(
        paths(&[base.clone(), explicit]).unwrap(),
        ["link", "link/g", "real", "real/f"],
        "a directory replaces it"
    );
    // A hard link into a lower layer is the lower file, as where layers are applied one after the other.
    let (keep, layout, image) = image(&[base.clone(), archive(&[entry(b'1', "hard", "real/f", b"")])]);
    let system = FileSystem::of(&layout, &image).unwrap();
    assert_eq!(system.get("hard").unwrap().content, (0, "real/f".to_owned()));
    assert_eq!((system.visible_bytes(), system.hidden_bytes()), (1, 0));
    let target = keep.path().join("root");
    unpack(&layout, &image, &target, &UnpackOptions::default()).unwrap();
    assert_eq!(std::fs::read(target.join("hard")).unwrap(), b"1");
    let hidden = archive(&[file("real/.wh.f", b""), entry(b'1', "hard", "real/f", b"")]);
    assert!(matches!(paths(&[base, hidden]), Err(Error::Malformed { .. })), "a hard link to a hidden file");
}

#[test]
fn a_hard_link_keeps_the_content_of_a_hidden_first_name() {
    let base = archive(&[file("first", b"data"), entry(b'1', "second", "first", b"")]);
    let upper = archive(&[file(".wh.first", b"")]);
    let (keep, layout, image) = image(&[base, upper]);
    let target = keep.path().join("root");
    unpack(&layout, &image, &target, &UnpackOptions::default()).unwrap();
    assert_eq!(std::fs::read(target.join("second")).unwrap(), b"data");
    assert!(!target.join("first").exists());
}

#[test]
fn limits_stop_names() {
    let limits = Limits::default();
    let deep = |depth: usize| "d/".repeat(depth - 1) + "f";
    let long = |bytes: usize| "n".repeat(bytes);
    let path = |name: &str| archive(&[pax(&record("path", name)), file("x", b"")]);
    let read = |bytes: &[u8]| visit_layer(bytes, archive::PLAIN, 0, &limits, &mut |_| Ok(()));
    for (right, wrong) in [
        (deep(limits.path_depth), deep(limits.path_depth + 1)),
        (long(limits.name_bytes), long(limits.name_bytes + 1)),
        (format!("{}/f", vec![long(200); 20].join("/")), format!("{}/f", vec![long(200); 21].join("/"))),
    ] {
        read(&path(&right)).unwrap();
        assert!(matches!(read(&path(&wrong)), Err(Error::Limit { .. })), "{wrong}");
    }
    let header = vec![b'a'; 2 << 20];
    let error = read(&archive(&[entry(b'L', "x", "", &header), file("x", b"")])).unwrap_err();
    assert!(matches!(error, Error::Limit { limit: 1_048_576, .. }), "an extended header of 2 MiB: {error}");
    let overflow = archive(&[pax(&record("size", &u64::MAX.to_string())), file("x", b"")]);
    assert!(matches!(read(&overflow), Err(Error::Limit { .. })), "image-spec issue 1285: overflowing size");
}

/// Counts what is taken from it.
struct Endless<'a> {
    begin: &'a [u8],
    taken: u64,
}

impl std::io::Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = if self.begin.is_empty() {
            buffer.fill(0);
            buffer.len()
        } else {
            self.begin.read(buffer)?
        };
        self.taken += count as u64;
        Ok(count)
    }
}

#[test]
fn cve_2026_39396_an_endless_blob_stops_at_the_budget_and_64_kib() {
    let limits = Limits { layer_bytes: 1 << 20, ..Limits::default() };
    let begin = archive(&[file("a", b"x")]);
    let mut blob = Endless { begin: &begin, taken: 0 };
    let error = visit_layer(&mut blob, archive::PLAIN, 0, &limits, &mut |_| Ok(())).unwrap_err();
    assert!(matches!(error, Error::Limit { limit: 1_048_576, .. }), "{error}");
    assert!(blob.taken <= limits.layer_bytes + (64 << 10), "{} bytes were read", blob.taken);
}

#[test]
fn a_layer_that_is_nearly_nothing_compressed_is_a_bomb() {
    let (_keep, layout, _) = image(&[]);
    let mut tree = FileTree::new();
    tree.file("zeros", vec![0; 48 << 20]).unwrap();
    let layer = layout.write_layer(&tree, &LayerOptions::new(Compression::Gzip, 0)).unwrap();
    let blob = std::fs::read(layout.blob_path(&layer.descriptor.digest)).unwrap();
    let read = |limits: &Limits| {
        let mut seen = 0;
        let read = visit_layer(&blob[..], &layer.descriptor.media_type, 0, limits, &mut |entry| {
            seen = entry.size();
            Ok(())
        });
        (read, seen)
    };
    let (read_all, _) = read(&Limits { ratio: 2000, ..Limits::default() });
    assert_eq!(read_all.unwrap().0, layer.diff_id);
    let (stopped, seen) = read(&Limits { ratio: 100, ..Limits::default() });
    assert!(matches!(stopped, Err(Error::Limit { limit: 100, .. })) && seen == 48 << 20);
}

#[test]
fn limits_stop_bombs() {
    let many = archive(&(0..200).map(|number| file(&format!("f{number}"), b"")).collect::<Vec<_>>());
    let large = archive(&[file("large", &vec![0; 2 << 20])]);
    for (name, bytes) in [("entries", many), ("bytes of the layer", large)] {
        assert!(matches!(paths(&[bytes]), Err(Error::Limit { .. })), "{name}");
    }
    let (_keep, layout, _) = image(&[]);
    let mut tree = FileTree::new();
    tree.file("zeros", vec![0; 8 << 20]).unwrap();
    let layer = layout.write_layer(&tree, &LayerOptions::new(Compression::Gzip, 0)).unwrap();
    assert!(layer.descriptor.size < 20_000, "a good bomb");
    let image = ImageBuilder::scratch(&Platform::new("linux", "amd64"))
        .layer(&layer, "bomb")
        .write(&layout, "b")
        .unwrap();
    assert!(matches!(FileSystem::of(&layout, &image), Err(Error::Limit { .. })));
}

#[test]
fn a_diff_id_from_outside_is_never_believed() {
    let (_keep, layout, image) = image(&[archive(&[file("a", b"x")])]);
    let mut config: ImageConfig = image.config.clone();
    config.rootfs.diff_ids[0] = Digest::sha256(b"another");
    let lying = ImageBuilder::from_base(&Image { config, ..image }).write(&layout, "lying").unwrap();
    assert!(matches!(FileSystem::of(&layout, &lying), Err(Error::Mismatch(_))));
}

#[cfg(not(feature = "zstd"))]
#[test]
fn zstd_is_refused_by_name() {
    let (_keep, layout, _) = image(&[]);
    let descriptor = layout.write_blob("application/vnd.oci.image.layer.v1.tar+zstd", b"x").unwrap();
    let layer = lotse_oci::Layer { descriptor, diff_id: Digest::sha256(b""), tar_size: 0 };
    let image = ImageBuilder::scratch(&Platform::new("linux", "amd64"))
        .layer(&layer, "z")
        .write(&layout, "z")
        .unwrap();
    assert!(FileSystem::of(&layout, &image).unwrap_err().to_string().contains("zstd"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn what_is_written_is_read_back(files in proptest::collection::btree_map("[a-zß]{1,3}(/[a-z.]{1,130}x){0,2}", proptest::collection::vec(any::<u8>(), 0..1500), 0..8)) {
        let (_keep, layout, _) = image(&[]);
        let mut tree = FileTree::new();
        for (path, content) in &files {
            // A path below another one's file is refused; the tree then simply lacks it.
            let _ = tree.file(path, content.clone());
        }
        let layer = layout.write_layer(&tree, &LayerOptions::new(Compression::Gzip, 9)).unwrap();
        let image = ImageBuilder::scratch(&Platform::new("linux", "amd64")).layer(&layer, "p").write(&layout, "p").unwrap();
        let mut seen = Vec::new();
        image.visit(&layout, &mut |entry| {
            let content = entry.read()?;
            if let Some(expected) = files.get(entry.path()).filter(|_| entry.kind() == lotse_oci::EntryKind::File) {
                assert_eq!(&content, expected);
            }
            seen.push(entry.path().to_owned());
            Ok(())
        }).unwrap();
        prop_assert_eq!(seen, tree.paths().collect::<Vec<_>>());
    }

    #[test]
    fn no_archive_makes_the_reader_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..3000), flips in proptest::collection::vec((0usize..3000, any::<u8>()), 0..4)) {
        let _ = paths(&[bytes.clone()]);
        bytes = archive(&[pax(&record("path", "abc")), file("a", b"x"), entry(b'L', "l", "", b"name\0"), file("b", b"")]);
        for (position, value) in flips {
            let length = bytes.len();
            bytes[position % length] = value;
        }
        let _ = paths(&[bytes]);
    }
}
