use std::fmt;

/// Bytes of an encoded name that file systems take, with room for a version, a hash and an ending.
const NAME: usize = 160;

/// A file in local storage, by its path below the storage's directory. Names of roles and paths of targets are
/// percent-encoded in it, slashes too, so that no file stands outside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct File(String);

impl File {
    /// The metadata of a role, in the version that is trusted: `root.json`, `timestamp.json`, ….
    pub(super) fn metadata(role: &str) -> Self {
        Self(format!("{}.json", encode(role)))
    }

    /// A root of the chain from the first one to the one that is trusted.
    pub(super) fn root(version: u64) -> Self {
        Self(format!("root_history/{version}.root.json"))
    }

    /// A target. It stays under its name when its content changes.
    pub(super) fn target(path: &str) -> Self {
        let name = encode(path);
        // `.` and `..` are no names of files.
        let dots = name.bytes().all(|byte| byte == b'.');
        Self(format!("targets/{}", if dots { name.replace('.', "%2E") } else { name }))
    }

    /// Whether a role or target of this name can be stored.
    pub(super) fn fits(name: &str) -> bool {
        encode(name).len() <= NAME
    }

    /// The path, with `/` between its parts.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0
    }

    /// Whether it is a target.
    #[must_use]
    pub fn is_target(&self) -> bool {
        self.0.starts_with("targets/")
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
pub(super) fn encode(name: &str) -> String {
    escape(name, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// Percent-encodes what cannot stand in the path of a URL. A path may be encoded already, so `%` stays.
pub(super) fn encode_path(path: &str) -> String {
    escape(path, |byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&byte))
}

fn escape(text: &str, keep: impl Fn(u8) -> bool) -> String {
    text.bytes()
        .map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
