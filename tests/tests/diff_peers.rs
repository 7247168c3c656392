//! Images of other builders, compared and normalised.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stderr,
    reason = "a test states what must hold"
)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use lotse_digest::Digest;
use lotse_oci::{
    Cause, Comparison, Compression, Encoder, Image, ImageBuilder, Layer, Layout, Limits, NormalizeOptions,
    Platform, normalize,
};
use lotse_tests::peer;

const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}\n{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

fn files(root: &Path) {
    fs::create_dir_all(root.join("app/lib")).unwrap();
    fs::write(root.join("app/run"), "#!/bin/sh\necho hello\n".repeat(50)).unwrap();
    fs::write(root.join("app/lib/data"), "data\n".repeat(1000)).unwrap();
    std::os::unix::fs::symlink("lib/data", root.join("app/link")).unwrap();
    fs::hard_link(root.join("app/run"), root.join("app/walk")).unwrap();
}

fn load(path: &Path, tag: &str) -> (Layout, Image) {
    let layout = Layout::open(path, Limits::default()).unwrap();
    let image = Image::load(&layout, &layout.resolve(tag).unwrap()).unwrap();
    (layout, image)
}

#[test]
fn builds_of_umoci_differ_by_times_and_become_one() {
    let Some(umoci) = peer("umoci") else { return };
    let directory = tempfile::tempdir().unwrap();
    let root = run(Command::new("id").arg("-u")).trim() == "0";
    let build = |name: &str| {
        let at = |part: &str| directory.path().join(part);
        let image = format!("{}:v1", at(name).display());
        run(Command::new(&umoci).args(["init", "--layout"]).arg(at(name)));
        run(Command::new(&umoci).args(["new", "--image", &image]));
        let bundle = at(&format!("{name}-bundle"));
        run(Command::new(&umoci)
            .arg("unpack")
            .args((!root).then_some("--rootless"))
            .args(["--image", &image])
            .arg(&bundle));
        files(&bundle.join("rootfs"));
        run(Command::new(&umoci).args(["repack", "--image", &image]).arg(&bundle));
        load(&at(name), "v1")
    };
    let (first_layout, first) = build("first");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let (second_layout, second) = build("second");
    let comparison =
        Comparison::of(&first_layout, &first.descriptor, &second_layout, &second.descriptor).unwrap();
    eprintln!("{}", comparison.explain());
    let expected = [Cause::Time, Cause::History, Cause::Created];
    assert!(comparison.causes().contains(&Cause::Time), "{}", comparison.explain());
    assert!(
        comparison.causes().iter().all(|cause| expected.contains(cause) || *cause == Cause::Pax),
        "{}",
        comparison.explain()
    );
    let into = Layout::create(directory.path().join("normal"), Limits::default()).unwrap();
    let options = NormalizeOptions { mtime: 0, created: None, compression: Compression::Gzip };
    let normal = |layout: &Layout, image: &Image| normalize(layout, image, &into, &options, "v1").unwrap();
    let (first, second) = (normal(&first_layout, &first), normal(&second_layout, &second));
    assert_eq!(first.descriptor.digest, second.descriptor.digest);
    // The same files packed by us are the same layer.
    let mut tree = lotse_oci::FileTree::new();
    tree.file("app/lib/data", "data\n".repeat(1000).into_bytes()).unwrap();
    tree.file("app/run", "#!/bin/sh\necho hello\n".repeat(50).into_bytes()).unwrap();
    tree.hardlink("app/walk", "app/run").unwrap();
    tree.symlink("app/link", "lib/data").unwrap();
    let layer = into.write_layer(&tree, &lotse_oci::LayerOptions::new(Compression::Gzip, 0)).unwrap();
    assert_eq!(layer.descriptor.digest, first.manifest.layers[0].digest);
}

#[test]
fn the_level_of_gzip_is_read_from_its_header() {
    let Some(gzip) = peer("gzip") else { return };
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::create(directory.path().join("layout"), Limits::default()).unwrap();
    let mut tree = lotse_oci::FileTree::new();
    tree.file("a", (0..9000u32).flat_map(|n| (n * n % 977).to_string().into_bytes()).collect()).unwrap();
    let plain = layout.write_layer(&tree, &lotse_oci::LayerOptions::new(Compression::None, 0)).unwrap();
    let archive = fs::read(layout.blob_path(&plain.descriptor.digest)).unwrap();
    let build = |level: &str| {
        let mut child = Command::new(&gzip)
            .args(["-n", "-c", level])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let bytes = archive.clone();
        let writer = std::thread::spawn(move || input.write_all(&bytes));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        let descriptor = layout.write_blob(GZIP, &output.stdout).unwrap();
        let layer = Layer { descriptor, diff_id: Digest::sha256(&archive), tar_size: archive.len() as u64 };
        ImageBuilder::scratch(&Platform::new("linux", "amd64"))
            .layer(&layer, "copy")
            .write(&layout, "v1")
            .unwrap()
    };
    let (fast, best, middle) = (build("-1"), build("-9"), build("-6"));
    let compare = |left: &Image, right: &Image| {
        Comparison::of(&layout, &left.descriptor, &layout, &right.descriptor).unwrap()
    };
    assert_eq!(compare(&fast, &best).causes(), [Cause::Level].into(), "{}", compare(&fast, &best).explain());
    assert_eq!(
        compare(&fast, &middle).causes(),
        [Cause::Level].into(),
        "{}",
        compare(&fast, &middle).explain()
    );
    let guess = Encoder::guess(&layout, &best.manifest.layers[0]).unwrap();
    assert_eq!((guess.level, guess.header.unwrap().system), (Some(9), 3), "Unix");
}
