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
}

impl Default for Limits {
    /// 4 MiB of document (what registries must take), 16 GiB of layer, 1 GiB of file, a million entries, 4096 bytes of path.
    fn default() -> Self {
        Self {
            document_bytes: 4 << 20,
            layer_bytes: 16 << 30,
            file_bytes: 1 << 30,
            entries: 1_000_000,
            path_bytes: 4096,
            header_bytes: 1 << 20,
        }
    }
}
