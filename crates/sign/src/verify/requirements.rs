use serde::{Deserialize, Serialize};

/// What must be there besides a good signature.
///
/// There is no default: how much to ask is a decision. [`sigstore`](Self::sigstore) is what Sigstore's clients ask of
/// everything; whatever asks less is called dangerous. Whatever a bundle carries beyond the requirement must hold too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Requirements {
    log_entries: usize,
    scts: usize,
    timestamps: usize,
}

impl Requirements {
    /// An entry in a transparency log; for certificates also one SCT and one verified time (every certificate needs that,
    /// whatever is required here: there is no fall-back to now).
    #[must_use]
    pub const fn sigstore() -> Self {
        Self { log_entries: 1, scts: 1, timestamps: 0 }
    }

    /// Entries in at least so many different logs. What one operator of the trusted root runs counts once, here and below.
    #[must_use]
    pub const fn log_entries(mut self, count: usize) -> Self {
        self.log_entries = count;
        self
    }

    /// SCTs of at least so many different certificate logs, where a certificate signed.
    #[must_use]
    pub const fn scts(mut self, count: usize) -> Self {
        self.scts = count;
        self
    }

    /// Timestamps of at least so many different authorities (RFC 3161).
    #[must_use]
    pub const fn timestamps(mut self, count: usize) -> Self {
        self.timestamps = count;
        self
    }

    /// Does not ask for a log entry: nobody who watches the log will ever see this signature.
    #[must_use]
    pub const fn dangerously_without_log(self) -> Self {
        self.log_entries(0)
    }

    /// Does not ask for an SCT: the authority may have issued the certificate in silence.
    #[must_use]
    pub const fn dangerously_without_sct(self) -> Self {
        self.scts(0)
    }

    pub(super) const fn required_log_entries(&self) -> usize {
        self.log_entries
    }

    pub(super) const fn required_scts(&self) -> usize {
        self.scts
    }

    pub(super) const fn required_timestamps(&self) -> usize {
        self.timestamps
    }
}
