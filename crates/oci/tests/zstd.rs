//! Layers with zstd: read strictly, and written without a promise.
#![cfg(feature = "zstd")]
#![allow(clippy::unwrap_used, reason = "a test states what must hold")]

use lotse_oci::{
    Compression, Error, FileSystem, FileTree, ImageBuilder, LayerOptions, Layout, Limits, Platform,
    visit_layer,
};

#[test]
fn a_zstd_layer_holds_the_same_archive_as_a_gzip_layer() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::create(directory.path(), Limits::default()).unwrap();
    let mut tree = FileTree::new();
    tree.file("etc/motd", b"hello\n".repeat(10_000)).unwrap();
    let write = |compression| layout.write_layer(&tree, &LayerOptions::new(compression, 7)).unwrap();
    let (zstd, gzip) = (write(Compression::Zstd(3)), write(Compression::Gzip));
    assert_eq!(zstd.diff_id, gzip.diff_id, "compression does not show in the diffID");
    assert_eq!(zstd.descriptor.media_type, "application/vnd.oci.image.layer.v1.tar+zstd");
    let image = ImageBuilder::scratch(&Platform::new("linux", "amd64"))
        .layer(&zstd, "x")
        .write(&layout, "v1")
        .unwrap();
    let files = FileSystem::of(&layout, &image).unwrap();
    assert_eq!(files.iter().map(|(path, _)| path.to_owned()).collect::<Vec<_>>(), ["etc", "etc/motd"]);
}

#[test]
fn a_zstd_bomb_ends_at_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::create(directory.path(), Limits::default()).unwrap();
    let mut tree = FileTree::new();
    tree.file("zeros", vec![0; 64 << 20]).unwrap();
    let bomb = layout.write_layer(&tree, &LayerOptions::new(Compression::Zstd(3), 0)).unwrap().descriptor;
    let limits = Limits { layer_bytes: 1 << 20, ..Limits::default() };
    let blob = layout.open_blob(&bomb).unwrap();
    let error =
        visit_layer(blob, &bomb.media_type, 0, &limits, &mut |entry| entry.read().map(drop)).unwrap_err();
    assert!(matches!(error, Error::Limit { .. }), "{error}");
}
