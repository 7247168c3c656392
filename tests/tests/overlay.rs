//! Our flatten beside the kernel's overlayfs: random stacks of layers, applied by both.
//!
//! The test runs itself again in a user namespace, as an ordinary user may. `LOTSE_OVERLAY_STACKS` says how many stacks (500 if
//! it is not set), `LOTSE_OVERLAY_SEED` which ones.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test states what must hold, and this one finds its size in the environment"
)]

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use lotse_oci::{EntryKind, FileSystem, Limits, visit_layer};
use lotse_tests::peer;
use rustix::fs::{CWD, FileType, Mode, XattrFlags};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

const PLAIN: &str = "application/vnd.oci.image.layer.v1.tar";
const INSIDE: &str = "LOTSE_OVERLAY_INSIDE";

#[test]
fn flatten_equals_overlayfs() {
    let Some(unshare) = peer("unshare") else { return };
    let scratch = tempfile::tempdir().unwrap();
    let try_it = |arguments: &[&str]| {
        let output = Command::new(&unshare).args(arguments).arg("true").output().unwrap();
        output.status.success()
    };
    // Root that may mount needs no map of users; anyone else gets one.
    let arguments: &[&str] = if try_it(&["-rm"]) { &["-rm"] } else { &["-m"] };
    let output = Command::new(&unshare)
        .args(arguments)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "inside_the_namespace", "--nocapture"])
        .env(INSIDE, scratch.path())
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    eprintln!("{said}");
    assert!(output.status.success() && said.contains("stacks alike"), "{said}");
}

#[test]
fn inside_the_namespace() {
    let Some(scratch) = std::env::var_os(INSIDE).map(PathBuf::from) else { return };
    let number =
        |name: &str, otherwise: u64| std::env::var(name).map_or(otherwise, |text| text.parse().unwrap());
    let (stacks, seed) = (number("LOTSE_OVERLAY_STACKS", 500), number("LOTSE_OVERLAY_SEED", 1));
    let none: Option<&std::ffi::CStr> = None;
    mount("tmpfs", &scratch, "tmpfs", MountFlags::empty(), none).unwrap();
    let mut seen = BTreeMap::new();
    for number in 0..stacks {
        let directory = scratch.join(number.to_string());
        fs::create_dir(&directory).unwrap();
        let stack = Stack::random(&mut Random(seed.wrapping_mul(1_000_003).wrapping_add(number)));
        let theirs = stack.by_the_kernel(&directory);
        let ours = stack.by_us();
        assert_eq!(ours, theirs, "stack {number} of seed {seed}:\n{}", stack.shown());
        stack.count(&ours, &mut seen);
        fs::remove_dir_all(&directory).unwrap();
    }
    eprintln!("{stacks} stacks alike (seed {seed}); in them: {seen:?}");
    // Stacks in which nothing happens would be alike too.
    for what in ["whiteouts", "opaque", "hard links", "symbolic links", "kinds changed", "merged directories"]
    {
        assert!(seen.get(what).is_some_and(|count| *count * 4 >= stacks), "{what} are rare: {seen:?}");
    }
}

/// A small generator of numbers, the same everywhere (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Entry {
    Directory { mode: u32, opaque: bool },
    File { mode: u32, content: String },
    Symlink(String),
    Hardlink(String),
    Whiteout,
}

/// Layers, base first: entries by path. Every directory of a layer is described in it, as overlayfs has it.
struct Stack(Vec<BTreeMap<String, Entry>>);

/// Kind, mode, content or target, and the first name of the same file.
type Seen = BTreeMap<String, (char, u32, String, String)>;

impl Stack {
    fn random(random: &mut Random) -> Self {
        let layers = 1 + random.below(5);
        Self((0..layers).map(|layer| Self::layer(layer, random)).collect())
    }

    fn layer(layer: usize, random: &mut Random) -> BTreeMap<String, Entry> {
        let mut entries = BTreeMap::new();
        let mut directories = vec![String::new()];
        for number in 0..1 + random.below(12) {
            let parent = directories[random.below(directories.len())].clone();
            let name = ["a", "b", "c", "d-e", "d", "f.g"][random.below(6)];
            let path = if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") };
            if entries.contains_key(&path) {
                continue;
            }
            let files: Vec<&String> = entries
                .iter()
                .filter(|(_, entry)| matches!(entry, Entry::File { .. }))
                .map(|(path, _)| path)
                .collect();
            let mode = [0o644, 0o755, 0o600, 0o4755, 0o1777, 0o750][random.below(6)];
            let entry = match random.below(10) {
                0..=3 => {
                    directories.push(path.clone());
                    Entry::Directory { mode: mode | 0o700, opaque: layer > 0 && random.one_in(3) }
                }
                4 | 5 => Entry::File { mode, content: format!("{layer}.{number}") },
                6 => Entry::Symlink(["a", "../b", "/d/a", "nowhere"][random.below(4)].to_owned()),
                7 if !files.is_empty() => Entry::Hardlink(files[random.below(files.len())].clone()),
                7 => Entry::File { mode, content: String::new() },
                _ if layer > 0 => Entry::Whiteout,
                _ => Entry::File { mode, content: "x".repeat(random.below(1500)) },
            };
            entries.insert(path, entry);
        }
        entries
    }

    fn by_the_kernel(&self, scratch: &Path) -> Seen {
        let mut lower = Vec::new();
        for (number, layer) in self.0.iter().enumerate() {
            let root = scratch.join(format!("l{number}"));
            fs::create_dir(&root).unwrap();
            // Directories first, then files, then what links to them.
            for (path, entry) in layer {
                let place = root.join(path);
                match entry {
                    Entry::Directory { mode, opaque } => {
                        fs::create_dir(&place).unwrap();
                        fs::set_permissions(&place, fs::Permissions::from_mode(*mode)).unwrap();
                        if *opaque {
                            rustix::fs::setxattr(&place, "user.overlay.opaque", b"y", XattrFlags::empty())
                                .unwrap();
                        }
                    }
                    Entry::File { mode, content } => {
                        fs::write(&place, content).unwrap();
                        fs::set_permissions(&place, fs::Permissions::from_mode(*mode)).unwrap();
                    }
                    Entry::Symlink(to) => std::os::unix::fs::symlink(to, &place).unwrap(),
                    Entry::Whiteout => {
                        rustix::fs::mknodat(CWD, &place, FileType::CharacterDevice, Mode::empty(), 0)
                            .unwrap();
                    }
                    Entry::Hardlink(_) => {}
                }
            }
            for (path, entry) in layer {
                if let Entry::Hardlink(to) = entry {
                    fs::hard_link(root.join(to), root.join(path)).unwrap();
                }
            }
            lower.push(root.display().to_string());
        }
        // overlayfs wants two lower layers if there is no upper one: an empty one changes nothing.
        let empty = scratch.join("empty");
        fs::create_dir(&empty).unwrap();
        lower.insert(0, empty.display().to_string());
        lower.reverse();
        let merged = scratch.join("merged");
        fs::create_dir(&merged).unwrap();
        let options = CString::new(format!("lowerdir={},userxattr", lower.join(":"))).unwrap();
        mount("overlay", &merged, "overlay", MountFlags::RDONLY, Some(options.as_c_str())).unwrap();
        let mut seen = Seen::new();
        walk(&merged, &merged, &mut seen);
        unmount(&merged, UnmountFlags::empty()).unwrap();
        first_names(seen)
    }

    fn by_us(&self) -> Seen {
        let mut system = FileSystem::new();
        let mut contents = BTreeMap::new();
        for (number, layer) in self.0.iter().enumerate() {
            let archive = archive(layer, number);
            let read = visit_layer(&archive[..], PLAIN, number, &Limits::default(), &mut |entry| {
                system.apply(entry)?;
                if entry.kind() == EntryKind::File {
                    contents.insert((number, entry.path().to_owned()), entry.read()?);
                }
                Ok(())
            });
            read.unwrap_or_else(|error| panic!("layer {number}: {error}\n{}", self.shown()));
        }
        let seen = system.iter().map(|(path, file)| {
            let same = format!("{:?}", file.content);
            let seen = match &file.kind {
                EntryKind::Directory => ('d', file.mode, String::new(), String::new()),
                EntryKind::Symlink(to) => ('l', 0, to.clone(), String::new()),
                EntryKind::File => {
                    ('f', file.mode, String::from_utf8(contents[&file.content].clone()).unwrap(), same)
                }
                other => panic!("{path} is a {other:?}"),
            };
            (path.to_owned(), seen)
        });
        first_names(seen.collect())
    }

    /// What happens in this stack, for the count of what was tested.
    fn count(&self, merged: &Seen, seen: &mut BTreeMap<&'static str, u64>) {
        let mut below: BTreeMap<&str, &Entry> = BTreeMap::new();
        let mut happens = BTreeMap::new();
        for layer in &self.0 {
            for (path, entry) in layer {
                let old = below.insert(path, entry);
                let what = match (entry, old) {
                    (Entry::Whiteout, Some(_)) => "whiteouts",
                    (Entry::Directory { opaque: true, .. }, _) => "opaque",
                    (Entry::Directory { .. }, Some(Entry::Directory { .. })) => "merged directories",
                    (Entry::Hardlink(_), _) => "hard links",
                    (Entry::Symlink(_), None) => "symbolic links",
                    (new, Some(old)) if std::mem::discriminant(new) != std::mem::discriminant(old) => {
                        "kinds changed"
                    }
                    _ => "other",
                };
                happens.insert(what, ());
            }
        }
        if merged.is_empty() {
            happens.insert("nothing visible", ());
        }
        for what in happens.into_keys() {
            *seen.entry(what).or_default() += 1;
        }
    }

    fn shown(&self) -> String {
        let layers = self.0.iter().enumerate();
        layers.map(|(number, layer)| format!("layer {number}: {layer:#?}\n")).collect()
    }
}

fn walk(root: &Path, below: &Path, seen: &mut Seen) {
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        // A whiteout in a directory that only one layer has is listed by the kernel, but it is not there.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let mode = metadata.permissions().mode() & 0o7777;
        let found = if metadata.is_dir() {
            walk(root, &path, seen);
            ('d', mode, String::new(), String::new())
        } else if metadata.is_symlink() {
            ('l', 0, fs::read_link(&path).unwrap().to_str().unwrap().to_owned(), String::new())
        } else {
            assert!(metadata.is_file(), "{}", path.display());
            ('f', mode, fs::read_to_string(&path).unwrap(), format!("{}:{}", metadata.dev(), metadata.ino()))
        };
        seen.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), found);
    }
}

/// Puts the first name of each file where the mark of the same file stood.
fn first_names(mut seen: Seen) -> Seen {
    let mut first = BTreeMap::new();
    for (path, (kind, _, _, same)) in &mut seen {
        if *kind == 'f' {
            *same = first.entry(same.clone()).or_insert_with(|| path.clone()).clone();
        }
    }
    seen
}

/// The layer as an archive: parents before what is in them, files before their links, and whiteouts, by the layer's number, before
/// their siblings, after all entries, or between them and the links.
fn archive(layer: &BTreeMap<String, Entry>, number: usize) -> Vec<u8> {
    let hidden_in = |directory: &str| -> Vec<u8> {
        let mut whiteouts = Vec::new();
        for (path, entry) in layer {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
            let slash = if parent.is_empty() { "" } else { "/" };
            match entry {
                Entry::Whiteout if parent == directory => {
                    whiteouts.extend(header(&format!("{parent}{slash}.wh.{name}"), b'0', 0o644, "", b""));
                }
                Entry::Directory { opaque: true, .. } if path == directory => {
                    whiteouts.extend(header(&format!("{path}/.wh..wh..opq"), b'0', 0o644, "", b""));
                }
                _ => {}
            }
        }
        whiteouts
    };
    let before = number.is_multiple_of(3);
    let mut entries = if before { hidden_in("") } else { Vec::new() };
    let mut whiteouts = if before { Vec::new() } else { hidden_in("") };
    let mut links = Vec::new();
    for (path, entry) in layer {
        match entry {
            Entry::Directory { mode, .. } => {
                entries.extend(header(&format!("{path}/"), b'5', *mode, "", b""));
                let hidden = hidden_in(path);
                if before { entries.extend(hidden) } else { whiteouts.extend(hidden) }
            }
            Entry::File { mode, content } => {
                entries.extend(header(path, b'0', *mode, "", content.as_bytes()))
            }
            Entry::Symlink(to) => entries.extend(header(path, b'2', 0o777, to, b"")),
            Entry::Hardlink(to) => links.extend(header(path, b'1', 0o644, to, b"")),
            Entry::Whiteout => {}
        }
    }
    let end = vec![0; 1024];
    if number % 3 == 1 {
        [entries, links, whiteouts, end].concat()
    } else {
        [entries, whiteouts, links, end].concat()
    }
}

fn header(path: &str, kind: u8, mode: u32, link: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0u8; 512];
    header[..path.len()].copy_from_slice(path.as_bytes());
    header[100..107].copy_from_slice(format!("{mode:07o}").as_bytes());
    header[108..115].copy_from_slice(b"0000000");
    header[116..123].copy_from_slice(b"0000000");
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[136..147].copy_from_slice(b"00000000000");
    header[148..156].copy_from_slice(b"        ");
    header[156] = kind;
    header[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut bytes = header.to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().div_ceil(512) * 512, 0);
    bytes
}
