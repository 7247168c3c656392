/// How much of an untrusted image is read before it is refused. Every field counts one thing; there is no unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a manifest, index or configuration.
    pub document_bytes: u64,
    /// Uncompressed bytes of one layer, headers included.
    pub layer_bytes: u64,
    /// Bytes of one file that is handed out whole.
    pub file_bytes: u64,
    /// Entries of one layer.
    pub entries: u64,
    /// Bytes of one path.
    pub path_bytes: usize,
    /// Bytes of one PAX header or GNU long name.
    pub header_bytes: u64,
    /// Components of one path.
    pub path_depth: usize,
    /// Bytes of one component of a path.
    pub name_bytes: usize,
    /// Bytes of a layer to one byte of its blob, counted after the first [`RATIO_FREE`](Self::RATIO_FREE) bytes.
    pub ratio: u64,
}

impl Limits {
    /// Bytes of a layer that may be compressed however well: a few files of zeros are no bomb.
    pub const RATIO_FREE: u64 = 16 << 20;
}

impl Default for Limits {
    /// 4 MiB of document (what registries must take), 16 GiB of layer, 1 GiB of file, a million entries, 4096 bytes of path in
    /// 256 components of 255 bytes, 1 MiB of extended header, 500 bytes for each byte of the blob.
    fn default() -> Self {
        Self {
            document_bytes: 4 << 20,
            layer_bytes: 16 << 30,
            file_bytes: 1 << 30,
            entries: 1_000_000,
            path_bytes: 4096,
            header_bytes: 1 << 20,
            path_depth: 256,
            name_bytes: 255,
            ratio: 500,
        }
    }
}
