//! Where the bytes are: sums that equal the blobs, the archives and the files exactly.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

mod archive;

use std::collections::BTreeMap;

use archive::{archive, entry, file, image};
use lotse_oci::{SizeChange, SizeReport, Treemap};

fn report(layers: &[Vec<u8>]) -> SizeReport {
    let (_keep, layout, image) = image(layers);
    let report = SizeReport::of(&layout, &image).unwrap();
    for (layer, bytes) in report.layers.iter().zip(layers) {
        assert_eq!(layer.compressed, bytes.len() as u64, "these blobs are plain archives");
        assert_eq!(layer.archive, bytes.len() as u64);
        assert_eq!(layer.files + layer.frame, layer.archive);
    }
    let sum = |of: fn(&lotse_oci::LayerSize) -> u64| report.layers.iter().map(of).sum::<u64>();
    assert_eq!(sum(|layer| layer.compressed), report.compressed());
    assert_eq!(sum(|layer| layer.archive), report.archives());
    assert_eq!(sum(|layer| layer.hidden), report.hidden);
    assert_eq!(sum(|layer| layer.files), report.visible() + report.hidden, "every byte is visible or hidden");
    let directories = report.directories();
    assert_eq!((directories[0].path.as_str(), directories[0].bytes), ("", report.visible()));
    for directory in &directories {
        let inside =
            |path: &str| directory.path.is_empty() || path.starts_with(&format!("{}/", directory.path));
        let files: Vec<u64> =
            report.files.iter().filter(|file| inside(&file.path)).map(|file| file.bytes).collect();
        assert_eq!((directory.files, directory.bytes), (files.len() as u64, files.iter().sum::<u64>()));
    }
    report
}

fn layers() -> Vec<Vec<u8>> {
    vec![
        archive(&[
            entry(b'5', "a/", "", b""),
            file("a/one", &[1; 1000]),
            entry(b'1', "a/two", "a/one", b""),
            file("a/gone", &[2; 700]),
            file("copy", &[1; 1000]),
            file("other", &[1; 1000]),
            file("empty", b""),
            file("empty2", b""),
        ]),
        archive(&[
            file("a/.wh.gone", b""),
            file("a/.wh.one", b""),
            file("other", &[3; 10]),
            file("b/c/d", &[4; 55]),
        ]),
    ]
}

#[test]
fn every_byte_is_counted_once() {
    let report = report(&layers());
    assert_eq!(report.hidden, 1700, "what is deleted and what is replaced");
    assert_eq!(report.layers[0].hidden, 1700);
    let files: Vec<(&str, usize, u64)> =
        report.files.iter().map(|file| (file.path.as_str(), file.layer, file.bytes)).collect();
    assert_eq!(
        files,
        [
            ("a/two", 0, 1000),
            ("b/c/d", 1, 55),
            ("copy", 0, 1000),
            ("empty", 0, 0),
            ("empty2", 0, 0),
            ("other", 1, 10)
        ],
        "a hard link whose first name is hidden has the bytes now"
    );
    assert_eq!(report.duplicates.len(), 1, "empty files waste nothing: {:?}", report.duplicates);
    assert_eq!(
        (report.duplicates[0].paths.as_slice(), report.duplicated()),
        (["a/two".to_owned(), "copy".to_owned()].as_slice(), 1000)
    );
}

#[test]
fn before_and_after_say_what_became_of_the_bytes() {
    let (before, after) = (report(&layers()[..1]), report(&layers()));
    let change = SizeChange::between(&before, &after);
    assert_eq!((change.visible, change.hidden), ((3700, 2065), (0, 1700)));
    let files: Vec<(&str, Option<u64>, Option<u64>)> =
        change.files.iter().map(|file| (file.path.as_str(), file.before, file.after)).collect();
    assert_eq!(
        files,
        [
            ("a/one", Some(1000), None),
            ("a/two", None, Some(1000)),
            ("other", Some(1000), Some(10)),
            ("a/gone", Some(700), None),
            ("b/c/d", None, Some(55)),
        ]
    );
    // R11: the thesis' image before and after.
    assert_eq!(SizeChange::percent((1_038_000_000, 174_000_000)), "-83.2 %");
    let html = after.to_html("app <v2>", Some(&before));
    for part in [
        "Size of app &lt;v2&gt;",
        "-44.2 %",
        "<code>a/gone</code>",
        "<svg",
        "class=\"tile\"",
        "hidden by later layers",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert_eq!(html, after.to_html("app <v2>", Some(&before)), "the same report, the same bytes");
    assert!(!report(&[archive(&[file("<script>", b"x")])]).to_html("x", None).contains("<script>"));
}

#[test]
fn tiles_fill_the_picture_and_do_not_overlap() {
    for sizes in [
        vec![1],
        vec![6, 6, 4, 3, 2, 2, 1],
        vec![1_000_000_000, 1],
        vec![5; 40],
        vec![0, 0],
        vec![u64::MAX, u64::MAX],
    ] {
        let parts: BTreeMap<String, u64> =
            sizes.iter().enumerate().map(|(at, size)| (format!("{at:02}"), *size)).collect();
        let map = Treemap::new(parts, 960, 320, 100);
        assert_eq!(map.tiles.len(), sizes.len());
        let area: u64 = map.tiles.iter().map(|tile| tile.width * tile.height).sum();
        assert!(area <= 960 * 320);
        for (number, tile) in map.tiles.iter().enumerate() {
            assert!(tile.x + tile.width <= 960 && tile.y + tile.height <= 320, "{tile:?}");
            for other in &map.tiles[..number] {
                let apart = tile.x >= other.x + other.width
                    || other.x >= tile.x + tile.width
                    || tile.y >= other.y + other.height
                    || other.y >= tile.y + tile.height;
                assert!(apart, "{tile:?} {other:?}");
            }
        }
        if sizes.iter().all(|size| *size > 0 && *size < u64::MAX) && sizes.len() < 10 {
            assert!(area >= 960 * 320 * 95 / 100, "{map:?}");
        }
    }
    let many: BTreeMap<String, u64> = (0..100u64).map(|size| (format!("{size}"), size)).collect();
    let map = Treemap::new(many, 100, 100, 10);
    assert_eq!(
        (map.tiles.len(), map.tiles[10].name.as_str(), map.tiles[10].bytes),
        (11, "90 more", (0..90).sum())
    );
}
