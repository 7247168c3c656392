//! Unpacking to disk: nothing outside is touched, nothing is visible early, and what the options say is done.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

mod archive;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use archive::{archive, entry, file, image, pax, record};
use lotse_digest::Digest;
use lotse_oci::{Error, IdRange, Image, ImageBuilder, Layout, Omission, Owners, UnpackOptions, unpack};

/// An entry with this mode and owner.
fn with(mut bytes: Vec<u8>, mode: u32, uid: u32) -> Vec<u8> {
    bytes[100..107].copy_from_slice(format!("{mode:07o}").as_bytes());
    bytes[108..115].copy_from_slice(format!("{uid:07o}").as_bytes());
    bytes[116..123].copy_from_slice(format!("{uid:07o}").as_bytes());
    archive::fix(&mut bytes);
    bytes
}

fn names(directory: &Path) -> Vec<String> {
    let names =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn attacks_touch_nothing_outside() {
    let link = |to: &str| entry(b'2', "link", to, b"");
    let attacks: Vec<(&str, Vec<Vec<u8>>)> = vec![
        (
            "CVE-2026-33056: chmod through a symbolic link",
            vec![archive(&[link("../outside"), with(entry(b'5', "link/", "", b""), 0o777, 0)])],
        ),
        (
            "the same over two layers, where the directory replaces the link",
            vec![
                archive(&[link("../outside")]),
                archive(&[with(entry(b'5', "link/", "", b""), 0o777, 0), file("link/file", b"theirs")]),
            ],
        ),
        (
            "CVE-2018-20990: a file written through a symbolic link",
            vec![archive(&[link("../outside/file"), file("link", b"theirs")])],
        ),
        (
            "the same over two layers, where the file replaces the link",
            vec![archive(&[link("../outside/file")]), archive(&[file("link", b"theirs")])],
        ),
        (
            "CVE-2021-38511: directories made through a symbolic link",
            vec![archive(&[link("../outside"), file("link/new/file", b"theirs")])],
        ),
        (
            "an upper layer writes below a lower link",
            vec![archive(&[link("../outside")]), archive(&[file("link/file", b"theirs")])],
        ),
        (
            "an upper layer deletes below a lower link",
            vec![archive(&[link("../outside")]), archive(&[file("link/.wh.file", b"")])],
        ),
        (
            "CVE-2024-9676: a link to the host's file, then a hard link to the link",
            vec![archive(&[link("../outside/file"), entry(b'1', "passwd", "link", b"")])],
        ),
        (
            "nbc issue 86: a hard link to the host",
            vec![archive(&[entry(b'1', "copy", "../outside/file", b"")])],
        ),
        ("go-containerregistry PR 2227", vec![archive(&[file("../outside/file", b"theirs")])]),
        (
            "an absolute path by PAX",
            vec![archive(&[pax(&record("path", "/outside/file")), file("a", b"theirs")])],
        ),
    ];
    for (name, layers) in attacks {
        let (keep, layout, image) = image(&layers);
        let outside = keep.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::set_permissions(&outside, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(outside.join("file"), b"ours").unwrap();
        let target = keep.path().join("root");
        let unpacked = unpack(&layout, &image, &target, &UnpackOptions::default());
        assert_eq!(names(&outside), ["file"], "{name}");
        assert_eq!(fs::read(outside.join("file")).unwrap(), b"ours", "{name}");
        assert_eq!(fs::metadata(outside.join("file")).unwrap().nlink(), 1, "{name}");
        assert_eq!(fs::metadata(&outside).unwrap().mode() & 0o7777, 0o700, "{name}");
        let expected: &[&str] =
            if unpacked.is_ok() { &["layout", "outside", "root"] } else { &["layout", "outside"] };
        assert_eq!(names(keep.path()), expected, "{name}: {unpacked:?}");
    }
}

#[test]
fn nothing_is_visible_before_its_digest_is_verified() {
    // GHSA-gcpm-8w8q-gp9v, umoci 0.5.1: the disk was full before the hash was looked at.
    let (keep, layout, image) = image(&[archive(&[file("a", &[7; 5000])])]);
    let target = keep.path().join("root");
    let mut config = image.config.clone();
    config.rootfs.diff_ids[0] = Digest::sha256(b"another");
    let lying = ImageBuilder::from_base(&Image { config, ..image.clone() }).write(&layout, "lying").unwrap();
    assert!(matches!(unpack(&layout, &lying, &target, &UnpackOptions::default()), Err(Error::Mismatch(_))));
    assert_eq!(names(keep.path()), ["layout"]);
    let blob = layout.blob_path(&image.manifest.layers[0].digest);
    let mut bytes = fs::read(&blob).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    for wrong in [bytes.clone(), bytes[..last].to_vec(), [bytes, vec![0]].concat()] {
        fs::write(&blob, wrong).unwrap();
        assert!(unpack(&layout, &image, &target, &UnpackOptions::default()).is_err());
        assert_eq!(names(keep.path()), ["layout"]);
    }
}

fn sample() -> Vec<Vec<u8>> {
    let xattr = pax(&[record("SCHILY.xattr.user.note", "value"), record("mtime", "1000000000.5")].concat());
    vec![
        archive(&[
            with(entry(b'5', "closed/", "", b""), 0o500, 1000),
            with(file("closed/set", b"program"), 0o4755, 1000),
            entry(b'1', "closed/second", "closed/set", b""),
            xattr,
            with(file("note", b"text"), 0o640, 7),
            entry(b'2', "link", "closed/set", b""),
            entry(b'3', "device", "", b""),
        ]),
        archive(&[file("closed/.wh.set", b"")]),
    ]
}

#[test]
fn owners_are_dropped_unless_they_are_asked_for() {
    let (keep, layout, image) = image(&sample());
    let target = keep.path().join("root");
    let report = unpack(&layout, &image, &target, &UnpackOptions::default()).unwrap();
    let second = fs::metadata(target.join("closed/second")).unwrap();
    let me = fs::metadata(keep.path()).unwrap().uid();
    assert_eq!((second.mode() & 0o7777, second.uid(), second.nlink()), (0o755, me, 1));
    assert_eq!(fs::metadata(target.join("closed")).unwrap().mode() & 0o7777, 0o700, "its owner can enter it");
    assert_eq!(fs::metadata(target.join("note")).unwrap().mtime(), 1_000_000_000);
    assert_eq!(fs::read_link(target.join("link")).unwrap(), Path::new("closed/set"));
    assert_eq!(
        report.left_out,
        [("closed/second".to_owned(), Omission::SetId), ("device".to_owned(), Omission::Special)]
    );
    assert_eq!((report.files, report.directories, report.symlinks, report.bytes), (2, 1, 1, 11));
    let again = unpack(&layout, &image, &target, &UnpackOptions::default());
    assert!(matches!(again, Err(Error::Caller(_))), "a directory that is there is not unpacked into");
}

/// What the caller may do decides; either way the report says what is on disk.
fn check_owners(layout: &Layout, image: &Image, target: &Path, owners: Owners, shift: u32) {
    let report =
        unpack(layout, image, target, &UnpackOptions { owners, ..UnpackOptions::default() }).unwrap();
    let mut refused = 0;
    for (path, uid, mode) in
        [("closed", 1000, 0o500), ("closed/second", 1000, 0o4755), ("note", 7, 0o640), ("link", 0, 0o777)]
    {
        let metadata = fs::symlink_metadata(target.join(path)).unwrap();
        let omitted = report.left_out.contains(&(
            path.to_owned(),
            Omission::Owner(uid + shift, if path == "link" { shift } else { uid + shift }),
        ));
        if omitted {
            refused += 1;
        } else {
            assert_eq!((metadata.uid(), metadata.mode() & 0o7777), (uid + shift, mode), "{path}");
        }
    }
    let root = fs::metadata(target).unwrap().uid() == 0;
    assert!(root || refused >= 3, "{refused} owners refused");
}

#[test]
fn owners_of_the_image_are_set_or_reported() {
    let (keep, layout, image) = image(&sample());
    check_owners(&layout, &image, &keep.path().join("kept"), Owners::Image, 0);
    let range = |inside, count| IdRange { inside, outside: inside + 100_000, count };
    let mapped = |users: Vec<IdRange>| Owners::Mapped { users, groups: vec![range(0, 65_536)] };
    check_owners(&layout, &image, &keep.path().join("mapped"), mapped(vec![range(0, 65_536)]), 100_000);
    let target = keep.path().join("outside");
    let options = UnpackOptions { owners: mapped(vec![range(0, 1000)]), ..UnpackOptions::default() };
    let error = unpack(&layout, &image, &target, &options).unwrap_err();
    assert!(matches!(&error, Error::Caller(text) if text.contains("1000")), "{error}");
    assert!(!target.exists());
}

#[test]
fn extended_attributes_are_set_when_they_are_asked_for() {
    let (keep, layout, image) = image(&sample());
    let target = keep.path().join("root");
    let options = UnpackOptions { xattrs: true, times: false, sync: false, ..UnpackOptions::default() };
    let report = unpack(&layout, &image, &target, &options).unwrap();
    let mut value = [0; 16];
    match rustix::fs::getxattr(target.join("note"), "user.note", &mut value[..]) {
        Ok(length) => assert_eq!(&value[..length], b"value"),
        // A file system without them: then it is said.
        Err(_) => {
            assert!(report.left_out.contains(&("note".to_owned(), Omission::Xattr("user.note".to_owned()))))
        }
    }
    assert_ne!(fs::metadata(target.join("note")).unwrap().mtime(), 1_000_000_000, "times were not asked for");
}
