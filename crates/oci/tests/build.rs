//! Building: the same input gives the same bytes, and other readers see what we wrote.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::fs;
use std::io::Read as _;
use std::path::Path;

use lotse_digest::Digest;
use lotse_oci::{
    Compression, Error, FileTree, Image, ImageBuilder, LayerOptions, Layout, Limits, Platform, SizeReport,
    UnpackOptions, unpack,
};
use tempfile::TempDir;

fn layout() -> (TempDir, Layout) {
    let directory = TempDir::new().unwrap();
    let layout = Layout::create(directory.path().join("layout"), Limits::default()).unwrap();
    (directory, layout)
}

fn sample() -> FileTree {
    let mut tree = FileTree::new();
    tree.file("a/c", b"three".to_vec()).unwrap();
    tree.file("a-b", vec![7; 1000]).unwrap();
    tree.executable("bin/run", b"#!/bin/sh\n".to_vec()).unwrap();
    tree.symlink("bin/link", "run").unwrap();
    tree.directory("empty").unwrap();
    tree.file(&format!("{}/{}", "d".repeat(90), "f".repeat(90)), b"split".to_vec()).unwrap();
    tree.file(&format!("long/{}", "x".repeat(200)), b"pax".to_vec()).unwrap();
    tree.symlink("far", &"../".repeat(60)).unwrap();
    tree.file("bücher/ß", b"utf-8".to_vec()).unwrap();
    tree
}

fn image(layout: &Layout, tree: &FileTree) -> Image {
    let layer = layout.write_layer(tree, &LayerOptions::new(Compression::Gzip, 1_700_000_000)).unwrap();
    ImageBuilder::scratch(&Platform::new("linux", "amd64"))
        .layer(&layer, "copy")
        .created("2023-11-14T22:13:20Z")
        .configure(|config| config.config.user = Some("1000:3000".to_owned()))
        .annotation("org.opencontainers.image.revision", "abc")
        .write(layout, "v1")
        .unwrap()
}

#[test]
fn the_same_tree_gives_the_same_image_digest_in_every_layout() {
    let (_keep, first) = layout();
    let (_keep_too, second) = layout();
    let digest = image(&first, &sample()).descriptor.digest;
    assert_eq!(digest, image(&second, &sample()).descriptor.digest);
    assert_eq!(digest, image(&second, &sample()).descriptor.digest, "and again over itself");
    assert_eq!(second.index().unwrap().manifests.len(), 1, "one tag, one entry");
    assert_eq!(
        fs::read(first.path().join("index.json")).unwrap(),
        fs::read(second.path().join("index.json")).unwrap()
    );
}

#[test]
fn a_tree_from_disk_is_blind_to_mode_time_and_order() {
    let directory = TempDir::new().unwrap();
    let write = |root: &Path, names: &[&str], mode: u32| {
        for name in names {
            let file = root.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, name).unwrap();
            #[cfg(unix)]
            fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        }
    };
    let (one, two) = (directory.path().join("one"), directory.path().join("two"));
    write(&one, &["b", "a/x", "a/y", "skip/z"], 0o600);
    write(&two, &["a/y", "skip/other", "a/x", "b"], 0o664);
    let tree = |root: &Path| {
        let mut tree = FileTree::new();
        tree.add_from_disk(root, "srv", &|path| path != "skip").unwrap();
        tree
    };
    let (_keep, layout) = layout();
    let write =
        |root: &Path| layout.write_layer(&tree(root), &LayerOptions::new(Compression::Gzip, 0)).unwrap();
    assert_eq!(write(&one), write(&two));
    assert_eq!(tree(&one).paths().collect::<Vec<_>>(), ["srv", "srv/a", "srv/a/x", "srv/a/y", "srv/b"]);
}

#[test]
fn another_tar_reader_sees_the_same_entries() {
    let (_keep, layout) = layout();
    let layer = layout.write_layer(&sample(), &LayerOptions::new(Compression::None, 42)).unwrap();
    let bytes = fs::read(layout.blob_path(&layer.descriptor.digest)).unwrap();
    assert_eq!(layer.diff_id, Digest::sha256(&bytes), "an uncompressed layer is its own diffID");
    let mut archive = tar::Archive::new(bytes.as_slice());
    let mut seen = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let header = entry.header().clone();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        assert_eq!((header.mtime().unwrap(), header.uid().unwrap(), header.gid().unwrap()), (42, 0, 0));
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let link = entry.link_name().unwrap().map(|link| link.to_str().unwrap().to_owned());
        seen.push((path.trim_end_matches('/').to_owned(), header.mode().unwrap(), link, content.len()));
    }
    assert_eq!(
        seen.iter().map(|entry| entry.0.as_str()).collect::<Vec<_>>(),
        sample().paths().collect::<Vec<_>>()
    );
    assert!(seen.contains(&("bin/run".to_owned(), 0o755, None, 10)));
    assert!(seen.contains(&("bin/link".to_owned(), 0o777, Some("run".to_owned()), 0)));
    assert!(seen.contains(&("far".to_owned(), 0o777, Some("../".repeat(60)), 0)));
}

#[test]
fn gzip_and_system_tar_read_a_layer() {
    let (keep, layout) = layout();
    let layer = layout.write_layer(&sample(), &LayerOptions::new(Compression::Gzip, 0)).unwrap();
    let out = keep.path().join("out");
    fs::create_dir(&out).unwrap();
    let status = std::process::Command::new("tar")
        .arg("-xzf")
        .arg(layout.blob_path(&layer.descriptor.digest))
        .arg("-C")
        .arg(&out)
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(fs::read(out.join("a/c")).unwrap(), b"three");
    assert_eq!(fs::read(out.join("long").join("x".repeat(200))).unwrap(), b"pax");
}

#[test]
fn what_was_built_unpacks_to_the_same_files() {
    let (keep, layout) = layout();
    let image = image(&layout, &sample());
    let target = keep.path().join("root");
    assert!(unpack(&layout, &image, &target, &UnpackOptions::default()).unwrap().left_out.is_empty());
    assert_eq!(fs::read(target.join("a-b")).unwrap(), vec![7; 1000]);
    assert_eq!(fs::read_link(target.join("bin/link")).unwrap(), Path::new("run"));
    assert!(target.join("empty").is_dir());
    let mut again = FileTree::new();
    again.add_from_disk(&target, "", &|_| true).unwrap();
    let layer = layout.write_layer(&again, &LayerOptions::new(Compression::Gzip, 1_700_000_000)).unwrap();
    assert_eq!(layer.descriptor, image.manifest.layers[0], "packed again it is the same layer");
    assert!(
        matches!(unpack(&layout, &image, &target, &UnpackOptions::default()), Err(Error::Caller(_))),
        "an existing target is left alone"
    );
}

#[test]
fn a_base_is_imported_by_digest_and_inherited() {
    let (_keep, bases) = layout();
    let base = image(&bases, &sample());
    let (_keep_too, layout) = layout();
    let mut tree = FileTree::new();
    tree.file("a-b", b"new".to_vec()).unwrap();
    let layer = layout.write_layer(&tree, &LayerOptions::new(Compression::Gzip, 0)).unwrap();
    let builder = ImageBuilder::from_base(&base).layer(&layer, "copy app").created("2024-01-01T00:00:00Z");
    assert!(
        matches!(builder.clone().write(&layout, "app"), Err(Error::NotFound { .. })),
        "the base comes first"
    );
    layout.import(&bases, &bases.find(&base.descriptor.digest).unwrap()).unwrap();
    let image = builder.write(&layout, "app").unwrap();
    assert_eq!(image.config.config.user.as_deref(), Some("1000:3000"));
    assert_eq!(image.config.history.len(), 2);
    assert_eq!(image.config.history[0].created.as_deref(), Some("2023-11-14T22:13:20Z"));
    assert_eq!(image.config.history[1].created.as_deref(), Some("2024-01-01T00:00:00Z"));

    let report = SizeReport::of(&layout, &image).unwrap();
    assert_eq!(report.hidden, 1000, "the base's a-b is hidden");
    assert_eq!(report.compressed(), image.manifest.layers.iter().map(|layer| layer.size).sum::<u64>());
    let files: u64 = report.layers.iter().map(|layer| layer.files).sum();
    assert_eq!(files, report.visible() + report.hidden, "every byte is visible or hidden");
    assert!(report.files.iter().any(|file| file.path == "a-b" && file.bytes == 3 && file.layer == 1));
}

#[test]
fn a_tree_refuses_what_a_layer_cannot_mean() {
    let mut tree = FileTree::new();
    tree.file("a", vec![]).unwrap();
    for path in ["", "/a", "../a", "b/../c", "b//c", "b/", "./b", "a", "a/below", "x/.wh.y", "nul\0"] {
        assert!(matches!(tree.file(path, vec![]), Err(Error::Caller(_))), "{path:?}");
    }
    assert!(tree.symlink("l", "").is_err());
    assert!(tree.set_attributes("missing", 0, 0, 0).is_err());
    tree.directory("dir").unwrap();
    tree.directory("dir").unwrap();
}

#[test]
fn a_file_that_changes_while_it_is_read_is_an_error_and_leaves_nothing() {
    let (keep, layout) = layout();
    let file = keep.path().join("file");
    for (before, after) in [("long content", "short"), ("short", "long content")] {
        fs::write(&file, before).unwrap();
        let mut tree = FileTree::new();
        tree.add_from_disk(&file, "file", &|_| true).unwrap();
        fs::write(&file, after).unwrap();
        let error = layout.write_layer(&tree, &LayerOptions::new(Compression::Gzip, 0)).unwrap_err();
        assert!(error.to_string().contains("while the layer was written"), "{error}");
    }
    assert!(layout.sweep().unwrap().is_empty(), "no temporary file, no blob");
}
