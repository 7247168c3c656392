//! Our strict tar reader beside GNU tar, bsdtar and Python on archives that are made to divide readers: what we accept, everyone
//! who accepts it lists as we do; what we refuse may be read in two ways.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stderr,
    reason = "a test states what must hold"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use lotse_oci::{Limits, visit_layer};
use lotse_tests::peer;

const ARCHIVES: usize = 400;

/// Paths and sizes of files, in order; directories have no size.
type Listing = Vec<(String, Option<u64>)>;

#[test]
fn what_we_accept_no_other_reader_sees_otherwise() {
    let (Some(tar), Some(bsdtar), Some(python)) = (peer("tar"), peer("bsdtar"), peer("python3")) else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let mut random = Random(7);
    let mut ours = Vec::new();
    for number in 0..ARCHIVES {
        let bytes = archive(&mut random);
        fs::write(directory.path().join(format!("{number}.tar")), &bytes).unwrap();
        ours.push(our_listing(&bytes));
    }
    let pythons = python_listings(&python, directory.path());
    let (mut accepted, mut divided, mut counts) = (0, 0, BTreeMap::<&str, usize>::new());
    for (number, ours) in ours.iter().enumerate() {
        let path = directory.path().join(format!("{number}.tar"));
        let theirs = [
            ("GNU tar", names(Command::new(&tar).args(["--quoting-style=literal", "-tf"]).arg(&path))),
            ("bsdtar", names(Command::new(&bsdtar).arg("-tf").arg(&path))),
            ("Python", pythons[number].clone()),
        ];
        let lists: Vec<&Vec<String>> = theirs.iter().filter_map(|(_, list)| list.as_ref()).collect();
        if lists.windows(2).any(|pair| pair[0] != pair[1]) {
            divided += 1;
            assert!(
                ours.is_none(),
                "archive {number}: others are divided, and we accept it: {ours:?} {theirs:?}"
            );
        }
        let Some(ours) = ours else { continue };
        accepted += 1;
        let ours: Vec<String> = ours.iter().map(|(path, _)| path.clone()).collect();
        for (name, list) in &theirs {
            match list {
                Some(list) => assert_eq!(*list, ours, "archive {number}: {name} sees something else"),
                None => *counts.entry(name).or_default() += 1,
            }
        }
    }
    eprintln!(
        "{ARCHIVES} archives: {accepted} accepted by us, {divided} on which others disagree (all refused by us); accepted by us and refused by {counts:?}"
    );
    assert!(accepted >= ARCHIVES / 8 && divided >= ARCHIVES / 20, "{accepted} accepted, {divided} divided");
}

fn our_listing(bytes: &[u8]) -> Option<Listing> {
    let mut listing = Listing::new();
    let media_type = "application/vnd.oci.image.layer.v1.tar";
    let read = visit_layer(bytes, media_type, 0, &Limits::default(), &mut |entry| {
        listing.push((entry.path().to_owned(), Some(entry.size())));
        Ok(())
    });
    read.ok().map(|_| listing)
}

fn plain(name: &str) -> String {
    let mut name = name;
    while let Some(rest) = name.strip_prefix("./") {
        name = rest;
    }
    name.trim_end_matches('/').to_owned()
}

/// What a program lists, if it has nothing to complain about.
fn names(command: &mut Command) -> Option<Vec<String>> {
    let output = command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && output.stderr.is_empty()).then(|| text.lines().map(plain).collect())
}

fn python_listings(python: &Path, directory: &Path) -> Vec<Option<Vec<String>>> {
    let script = "
import json, sys, tarfile
for number in range(int(sys.argv[2])):
    try:
        with tarfile.open(f'{sys.argv[1]}/{number}.tar', 'r:', errorlevel=2) as archive:
            print(json.dumps([member.name for member in archive if member.name]))
    except Exception:
        print('null')
";
    let output =
        Command::new(python).args(["-c", script]).arg(directory).arg(ARCHIVES.to_string()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let limits = lotse_yaml::Limits::manifests();
    lines
        .lines()
        .map(|line| {
            let value = lotse_yaml::parse_json(line.as_bytes(), &limits).unwrap();
            value.as_array().map(|names| names.iter().map(|name| plain(name.as_str().unwrap())).collect())
        })
        .collect()
}

/// A small generator of numbers, the same everywhere (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) % limit as u64) as usize
    }
}

/// A few entries, with something in front of them or about them that readers may take in several ways.
fn archive(random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0..1 + random.below(3) {
        let inner = entry(b'0', &format!("phantom{number}"), "", b"", None);
        let name = format!("file{number}");
        let pax = |records: &[(&str, &str)]| {
            let text: String = records.iter().map(|(key, value)| record(key, value)).collect();
            entry(b'x', "pax", "", text.as_bytes(), None)
        };
        let long =
            |kind: u8, name: &str| entry(kind, "././@LongLink", "", format!("{name}\0").as_bytes(), None);
        let file = |content: &[u8], size: Option<&str>| entry(b'0', &name, "", content, size);
        bytes.extend(match random.below(16) {
            0..=4 => file(b"content", None),
            5 => entry(b'5', &format!("directory{number}/"), "", b"", None),
            6 => entry(b'2', &format!("link{number}"), "target", b"", None),
            7 => [pax(&[("path", &format!("long{number}"))]), file(b"content", None)].concat(),
            8 => [long(b'L', &format!("gnu{number}")), file(b"content", None)].concat(),
            9 => [pax(&[("size", "512")]), file(&inner, Some("00000000000"))].concat(),
            10 => [pax(&[("size", "0")]), file(&inner, None)].concat(),
            11 => [pax(&[("size", "512")]), long(b'L', "named"), file(&inner, Some("00000000000"))].concat(),
            12 => [long(b'L', "gnu"), pax(&[("path", "pax")]), file(b"", None)].concat(),
            13 => [file(b"", None), vec![0; 512], inner].concat(),
            14 => [pax(&[("path", "first")]), pax(&[("path", "second")]), file(b"", None)].concat(),
            _ => [entry(b'g', "global", "", record("path", "everywhere").as_bytes(), None), file(b"", None)]
                .concat(),
        });
    }
    bytes.extend([0; 1024]);
    if random.below(12) == 0 {
        bytes.extend([entry(b'0', "second-archive", "", b"", None), vec![0; 1024]].concat());
    }
    if random.below(3) == 0 {
        bytes.resize(bytes.len().next_multiple_of(10_240), 0);
    }
    bytes
}

fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let length =
        (1..9).map(|digits| rest + digits).find(|length| length.to_string().len() + rest == *length).unwrap();
    format!("{length} {key}={value}\n")
}

fn entry(kind: u8, path: &str, link: &str, content: &[u8], size: Option<&str>) -> Vec<u8> {
    let mut header = [0u8; 512];
    header[..path.len()].copy_from_slice(path.as_bytes());
    header[100..107].copy_from_slice(b"0000644");
    header[108..115].copy_from_slice(b"0000000");
    header[116..123].copy_from_slice(b"0000000");
    let length = format!("{:011o}", content.len());
    header[124..135].copy_from_slice(size.unwrap_or(&length).as_bytes());
    header[136..147].copy_from_slice(b"00000000000");
    header[148..156].copy_from_slice(b"        ");
    header[156] = kind;
    header[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header[257..265].copy_from_slice(if matches!(kind, b'L') { b"ustar  \0" } else { b"ustar\x0000" });
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut bytes = header.to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}
