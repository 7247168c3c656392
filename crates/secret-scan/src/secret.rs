//! The bytes of a secret while they are looked at. They never leave the crate.

use lotse_digest::Digest;
use std::fmt;

/// Borrowed secret bytes. Neither `Debug` nor `Display` shows them, and there is no accessor outside this crate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Secret<'a>(pub(crate) &'a [u8]);

impl Secret<'_> {
    /// The start that is public (`ghp_`, `AKIA`), then the length. At most half of the secret is ever shown.
    pub(crate) fn preview(self, public: usize) -> String {
        let shown = self.0.get(..public.min(self.0.len() / 2)).unwrap_or_default();
        let shown: String = shown.iter().filter(|b| b.is_ascii_graphic()).map(|b| char::from(*b)).collect();
        format!("{shown}…({} bytes)", self.0.len())
    }

    /// Names the pair of rule and secret without showing it. It lets somebody who has guessed the secret confirm the
    /// guess, as every hash does: a weak password stays weak, and a found one is to be changed anyway.
    pub(crate) fn fingerprint(self, rule: &str) -> String {
        let mut text = b"lotse-secret-scan\0".to_vec();
        text.extend_from_slice(rule.as_bytes());
        text.push(0);
        text.extend_from_slice(self.0);
        Digest::sha256(&text).encoded().chars().take(16).collect()
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}
