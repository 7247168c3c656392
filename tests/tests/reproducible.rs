//! The same tree gives the same image, whatever is perturbed: a sample of what `tests/scripts/thousand-builds` does a
//! thousand times.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test states what must hold"
)]

use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes, Permissions};
use std::num::NonZeroUsize;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use lotse_digest::Digest;
use lotse_oci::{Compression, FileTree, ImageBuilder, LayerOptions, Layout, Limits, Platform};
use lotse_tests::peer;

/// Names that sort differently by bytes, by components and by locale, and contents of more than one piece.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> =
        ["a", "a-b", "a.c/d", "B/x", "b/x", "ä", "z", "a.c/-", "I", "ı", "İ"]
            .iter()
            .map(|name| ((*name).to_owned(), name.repeat(300).into_bytes()))
            .collect();
    let mut state = 1u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0] & 0x3f
    });
    files.push(("assets/large".to_owned(), noise.take(1_500_000).collect()));
    files.extend((0..40).map(|n| (format!("many/{n}"), format!("{n}\n").into_bytes())));
    files
}

/// Writes the tree as run `n` perturbs it: order, modes, owners, times.
fn write(root: &Path, n: u64) {
    let mut files = files();
    let turn = usize::try_from(n * 7).unwrap() % files.len();
    files.rotate_left(turn);
    if n % 2 == 1 {
        files.reverse();
    }
    for (path, content) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        let mode = [0o644, 0o600, 0o664, 0o646][usize::try_from(n).unwrap() % 4];
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(n * 40_000_000);
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_times(FileTimes::new().set_modified(time))
            .unwrap();
        // Ownership is root's to give away; without it this perturbation is the user's own.
        let _ = chown(&path, Some(u32::try_from(n).unwrap()), Some(7));
    }
    symlink("../a", root.join("many/link")).unwrap();
    fs::set_permissions(root.join("z"), Permissions::from_mode(0o711)).unwrap();
}

fn build(root: &Path, layout: &Path, threads: usize) -> Digest {
    let layout = Layout::create(layout, Limits::default()).unwrap();
    let mut tree = FileTree::new();
    tree.add_from_disk(root, "srv", &|_| true).unwrap();
    let assets = tree.split_off(|path| path.starts_with("srv/assets/"));
    let options = LayerOptions::new(Compression::Gzip, 1).threads(NonZeroUsize::new(threads).unwrap());
    let mut image = ImageBuilder::scratch(&Platform::new("linux", "amd64"));
    for tree in [assets, tree] {
        image = image.layer(&layout.write_layer(&tree, &options).unwrap(), "copy");
    }
    image.write(&layout, "v1").unwrap().descriptor.digest
}

#[test]
fn perturbed_builds_have_one_digest() {
    let disk = tempfile::tempdir().unwrap();
    // Another file system, where there is one.
    let memory = Path::new("/dev/shm").is_dir().then(|| tempfile::tempdir_in("/dev/shm").unwrap());
    let places: Vec<PathBuf> = [Some(disk.path()), memory.as_ref().map(tempfile::TempDir::path)]
        .into_iter()
        .flatten()
        .map(Into::into)
        .collect();
    let mut digests = BTreeSet::new();
    for n in 0..24u64 {
        let place = &places[usize::try_from(n).unwrap() % places.len()];
        let root = place.join(format!("tree-{n}"));
        write(&root, n);
        digests.insert(build(&root, &place.join(format!("layout-{n}")), 1 + usize::try_from(n).unwrap() % 8));
    }
    assert_eq!(digests.len(), 1, "24 builds: {digests:?}");
}

/// Ends a mount when the test does.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("fusermount").arg("-u").arg(&self.0).status();
    }
}

#[test]
fn directory_entries_in_any_order_have_one_digest() {
    let Some(disorderfs) = peer("disorderfs") else { return };
    if !Path::new("/dev/fuse").exists() {
        assert!(std::env::var_os("CI").is_none(), "CI has /dev/fuse");
        eprintln!("skipped: disorderfs needs /dev/fuse");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let (root, shuffled) = (directory.path().join("tree"), directory.path().join("shuffled"));
    write(&root, 0);
    fs::create_dir(&shuffled).unwrap();
    let started = Command::new(disorderfs)
        .args(["--quiet", "--shuffle-dirents=yes"])
        .arg(&root)
        .arg(&shuffled)
        .output()
        .unwrap();
    assert!(started.status.success(), "{started:?}");
    let _mounted = Mounted(shuffled.clone());
    let listing = || -> Vec<_> {
        fs::read_dir(shuffled.join("many")).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    };
    let orders: BTreeSet<_> = (0..8).map(|_| listing()).collect();
    assert!(orders.len() > 1, "the entries are shuffled at each listing");
    let expected = build(&root, &directory.path().join("layout"), 1);
    for n in 0..6 {
        assert_eq!(
            build(&shuffled, &directory.path().join(format!("layout-{n}")), 2),
            expected,
            "listing {n}"
        );
    }
}

/// Words, records, noise and runs by turns, as much of each as the seed says.
fn mixture(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut content: Vec<u8> = Vec::with_capacity(length);
    while content.len() < length {
        match next(5) {
            0 => content.extend(std::iter::repeat_n(u8::try_from(next(256)).unwrap(), next(2000))),
            1 => content.extend((0..next(3000)).map(|_| u8::try_from(next(256)).unwrap())),
            2 => (0..next(300))
                .for_each(|_| content.extend(format!("let {} = {};\n", next(50), next(9)).bytes())),
            3 if !content.is_empty() => {
                let from = next(content.len());
                let again = content[from..content.len().min(from + next(4000))].to_vec();
                content.extend(again);
            }
            _ => content.extend((0..next(900)).flat_map(|n| (n * 3).to_le_bytes())),
        }
    }
    content.truncate(length);
    content
}

#[test]
fn a_second_implementation_from_the_text_of_the_format_writes_the_same_bytes() {
    let Some(python) = peer("python3") else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/lotse-layer-1.py");
    for (seed, length) in [(1, 90_000), (2, 150_000), (3, 700_000)] {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("tree");
        fs::create_dir_all(root.join("sub").join("n".repeat(120))).unwrap();
        fs::write(root.join("sub/mixture"), mixture(seed, length)).unwrap();
        fs::write(root.join("sub").join("n".repeat(120)).join("m".repeat(99)), "long").unwrap();
        symlink("t".repeat(120), root.join("sub-link")).unwrap();
        let answer = Command::new(&python).arg(&script).arg(&root).arg("1700000000").output().unwrap();
        assert!(answer.status.success(), "{answer:?}");
        let layout = Layout::create(directory.path().join("layout"), Limits::default()).unwrap();
        let mut tree = FileTree::new();
        tree.add_from_disk(&root, "", &|_| true).unwrap();
        let layer = layout.write_layer(&tree, &LayerOptions::new(Compression::Gzip, 1_700_000_000)).unwrap();
        let ours = format!("{}\n{}\n", layer.diff_id, layer.descriptor.digest);
        assert_eq!(String::from_utf8_lossy(&answer.stdout), ours, "seed {seed}, {length} bytes");
    }
}
