use std::collections::BTreeMap;
use std::fmt;

use crate::{Matrix, PortSet};

/// What a source should reach at a destination.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Expected {
    /// The source, as [`Matrix`] names its peers.
    pub from: String,
    /// The destination.
    pub to: String,
    /// The ports.
    pub ports: PortSet,
}

impl Expected {
    /// What a source should reach at a destination.
    #[must_use]
    pub fn new(from: impl Into<String>, to: impl Into<String>, ports: PortSet) -> Self {
        Self { from: from.into(), to: to.into(), ports }
    }
}

/// A pair that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The source.
    pub from: String,
    /// The destination.
    pub to: String,
    /// What it was, or should be.
    pub expected: PortSet,
    /// What it is.
    pub actual: PortSet,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}: expected {}, is {}", self.from, self.to, self.expected, self.actual)
    }
}

impl Matrix {
    /// Compares with a list that is complete: what it does not name must be denied. Several entries for one pair add
    /// up. A named pair without traffic counts as denied. Peers that `judge` turns down (outside addresses, say) are
    /// left out on both sides.
    #[must_use]
    pub fn compare(&self, expected: &[Expected], judge: impl Fn(&str) -> bool) -> Vec<Difference> {
        let mut wanted: BTreeMap<(&str, &str), PortSet> = BTreeMap::new();
        for entry in expected {
            let set = wanted.entry((&entry.from, &entry.to)).or_default();
            *set = set.union(&entry.ports);
        }
        let mut found: BTreeMap<(&str, &str), PortSet> = BTreeMap::new();
        for (from, to, set) in self.allowed() {
            found.insert((from, to), set.clone());
        }
        let mut pairs: Vec<(&str, &str)> = wanted.keys().chain(found.keys()).copied().collect();
        pairs.sort_unstable();
        pairs.dedup();
        let judged = pairs.into_iter().filter(|(from, to)| judge(from) && judge(to));
        let differences = judged.filter_map(|pair| {
            let expected = wanted.get(&pair).cloned().unwrap_or_default();
            let actual = found.get(&pair).cloned().unwrap_or_default();
            let difference = Difference { from: pair.0.to_owned(), to: pair.1.to_owned(), expected, actual };
            (difference.expected != difference.actual).then_some(difference)
        });
        differences.collect()
    }

    /// What changed from another matrix to this one, pair by pair; peers that only one of them has count as
    /// reaching nothing in the other.
    #[must_use]
    pub fn diff(&self, before: &Self) -> Vec<Difference> {
        let old: Vec<Expected> =
            before.allowed().map(|(from, to, set)| Expected::new(from, to, set.clone())).collect();
        self.compare(&old, |_| true)
    }
}
