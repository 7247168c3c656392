//! Excuses for findings: exact, dated, and accounted for.

use crate::finding::{Finding, Findings};

/// One entry of an allow-list. All three of rule, path and fingerprint must fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    rule: String,
    path: String,
    fingerprint: String,
    reason: String,
    expires: String,
}

/// Why an entry is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("allow-list entry for {path:?}: {what}")]
pub struct AllowError {
    /// The path the entry names.
    pub path: String,
    /// What is wrong with it and what to do.
    pub what: &'static str,
}

impl Allow {
    /// An entry for one secret (by its fingerprint) of one rule at one path; `expires` is the last good day, as
    /// `YYYY-MM-DD`.
    ///
    /// # Errors
    /// [`AllowError`] if one is missing or malformed: there are no wildcards, since an entry that excuses a whole file
    /// excuses the next secret in it too.
    pub fn new(
        rule: &str,
        path: &str,
        fingerprint: &str,
        reason: &str,
        expires: &str,
    ) -> Result<Self, AllowError> {
        let refuse = |what| AllowError { path: path.to_owned(), what };
        if rule.is_empty() || path.is_empty() {
            return Err(refuse("it needs a rule and a path"));
        }
        if fingerprint.len() != 16 || !fingerprint.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(refuse("the fingerprint must be the 16 hex digits that a finding shows"));
        }
        if reason.trim().is_empty() {
            return Err(refuse("the reason is empty; say why the secret may stay"));
        }
        if !is_day(expires) {
            return Err(refuse("`expires` must be a day as YYYY-MM-DD"));
        }
        Ok(Self {
            rule: rule.to_owned(),
            path: path.to_owned(),
            fingerprint: fingerprint.to_ascii_lowercase(),
            reason: reason.to_owned(),
            expires: expires.to_owned(),
        })
    }

    /// Why the secret may stay.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The path it is for.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The last good day.
    #[must_use]
    pub fn expires(&self) -> &str {
        &self.expires
    }

    fn fits(&self, finding: &Finding) -> bool {
        self.rule == finding.rule
            && self.path == finding.place.path
            && self.fingerprint == finding.fingerprint
    }
}

fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let number = |part: &str, length: usize, from: u32, to: u32| {
        let digits = part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
        digits && part.parse::<u32>().is_ok_and(|n| (from..=to).contains(&n))
    };
    number(year, 4, 0, 9999) && number(month, 2, 1, 12) && number(day, 2, 1, 31)
}

/// What is left after the allow-list was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Judgement {
    /// Findings that nothing excuses.
    pub open: Vec<Finding>,
    /// Findings with the entry that excuses them.
    pub excused: Vec<(Finding, Allow)>,
    /// Entries whose day has passed: they excused nothing.
    pub expired: Vec<Allow>,
    /// Entries that fit no finding: to be deleted.
    pub unused: Vec<Allow>,
}

/// Applies an allow-list; `today` is `YYYY-MM-DD`.
///
/// # Errors
/// [`AllowError`] if `today` is no day.
pub fn judge(findings: &Findings, allow: &[Allow], today: &str) -> Result<Judgement, AllowError> {
    if !is_day(today) {
        return Err(AllowError { path: String::new(), what: "the day of judgement must be YYYY-MM-DD" });
    }
    let (good, expired): (Vec<&Allow>, Vec<&Allow>) =
        allow.iter().partition(|entry| entry.expires.as_str() >= today);
    let mut out = Judgement {
        open: Vec::new(),
        excused: Vec::new(),
        expired: expired.into_iter().cloned().collect(),
        unused: Vec::new(),
    };
    for finding in &findings.found {
        match good.iter().find(|entry| entry.fits(finding)) {
            Some(entry) => out.excused.push((finding.clone(), (*entry).clone())),
            None => out.open.push(finding.clone()),
        }
    }
    let unused = good.into_iter().filter(|entry| !findings.found.iter().any(|f| entry.fits(f)));
    out.unused = unused.cloned().collect();
    Ok(out)
}
