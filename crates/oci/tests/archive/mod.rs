//! Archives written by hand, so that they can be wrong.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part of these")]

use lotse_digest::Digest;
use lotse_oci::{Error, FileSystem, Image, ImageBuilder, Layer, Layout, Limits, Platform};
use tempfile::TempDir;

pub const PLAIN: &str = "application/vnd.oci.image.layer.v1.tar";

/// A tar entry written by hand, so that it can be wrong.
pub fn entry(kind: u8, name: &str, link: &str, content: &[u8]) -> Vec<u8> {
    sized(kind, name, link, content, &format!("{:011o}", content.len()))
}

pub fn sized(kind: u8, name: &str, link: &str, content: &[u8], size: &str) -> Vec<u8> {
    let mut header = [0u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..107].copy_from_slice(b"0000644");
    header[108..115].copy_from_slice(b"0000000");
    header[116..123].copy_from_slice(b"0000000");
    header[124..124 + size.len()].copy_from_slice(size.as_bytes());
    header[136..147].copy_from_slice(b"00000000000");
    header[156] = kind;
    header[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut bytes = header.to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().div_ceil(512) * 512, 0);
    bytes
}

pub fn file(name: &str, content: &[u8]) -> Vec<u8> {
    entry(b'0', name, "", content)
}

pub fn pax(records: &str) -> Vec<u8> {
    entry(b'x', "pax", "", records.as_bytes())
}

pub fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let length =
        (1..9).map(|digits| rest + digits).find(|length| length.to_string().len() + rest == *length).unwrap();
    format!("{length} {key}={value}\n")
}

pub fn archive(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = entries.concat();
    bytes.extend_from_slice(&[0; 1024]);
    bytes
}

/// An image of plain layers with these bytes.
pub fn image(layers: &[Vec<u8>]) -> (TempDir, Layout, Image) {
    let directory = TempDir::new().unwrap();
    let limits = Limits { layer_bytes: 1 << 20, file_bytes: 1 << 16, entries: 100, ..Limits::default() };
    let layout = Layout::create(directory.path().join("layout"), limits).unwrap();
    let mut builder = ImageBuilder::scratch(&Platform::new("linux", "amd64"));
    for bytes in layers {
        let descriptor = layout.write_blob(PLAIN, bytes).unwrap();
        let layer = Layer { descriptor, diff_id: Digest::sha256(bytes), tar_size: bytes.len() as u64 };
        builder = builder.layer(&layer, "test");
    }
    let image = builder.write(&layout, "v1").unwrap();
    (directory, layout, image)
}

pub fn paths(layers: &[Vec<u8>]) -> Result<Vec<String>, Error> {
    let (_keep, layout, image) = image(layers);
    Ok(FileSystem::of(&layout, &image)?.iter().map(|(path, _)| path.to_owned()).collect())
}

pub fn fix(bytes: &mut [u8]) {
    bytes[148..156].copy_from_slice(b"        ");
    let sum: u32 = bytes[..512].iter().map(|&byte| u32::from(byte)).sum();
    bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}
