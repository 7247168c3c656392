//! The rules: what a secret looks like, and what makes it believable.

mod builtin;
mod check;
pub(crate) mod pem;
mod placeholder;

pub(crate) use builtin::BUILTIN;
pub(crate) use check::Check;
pub(crate) use pem::find_keys;
pub(crate) use placeholder::{is_example_address, is_placeholder};

/// One rule. Every match holds one of the keywords and is no longer than `reach`, so that looking around the keywords
/// loses nothing.
pub(crate) struct Rule {
    pub(crate) id: &'static str,
    pub(crate) description: &'static str,
    /// Literals, compared without ASCII case.
    pub(crate) keywords: &'static [&'static str],
    /// The form; group 1 is the secret. ASCII only, no look-around but word boundaries.
    pub(crate) pattern: &'static str,
    /// Longest match in bytes, what ends it included.
    pub(crate) reach: usize,
    /// How many bytes at the start are public.
    pub(crate) public: usize,
    /// Shannon entropy in tenths of bits per byte that the secret must exceed; 0 asks for none.
    pub(crate) entropy: u32,
    pub(crate) check: Check,
}

/// One rule as it is documented to users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleInfo {
    /// The id that findings and allow-lists name.
    pub id: &'static str,
    /// What it finds.
    pub description: &'static str,
}

/// The rules that are built in, private keys and Kubernetes Secrets included.
#[must_use]
pub fn rules() -> Vec<RuleInfo> {
    let special = [
        RuleInfo { id: pem::ID, description: pem::DESCRIPTION },
        RuleInfo { id: crate::kubernetes::ID, description: crate::kubernetes::DESCRIPTION },
    ];
    let table = BUILTIN.iter().map(|rule| RuleInfo { id: rule.id, description: rule.description });
    special.into_iter().chain(table).collect()
}

/// Shannon entropy in tenths of bits per byte.
pub(crate) fn entropy_tenths(bytes: &[u8]) -> u32 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let Ok(total) = u32::try_from(bytes.len()) else { return 80 };
    let total = f64::from(total);
    let sum: f64 =
        counts.iter().filter(|c| **c > 0).map(|c| f64::from(*c) / total).map(|p| -p * p.log2()).sum();
    (0..=80_u32).rev().find(|tenths| f64::from(*tenths) <= sum * 10.0).unwrap_or(0)
}
