use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::SizeReport;

/// What became of the bytes of an image (R11). Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SizeChange {
    /// Bytes transferred, before and after.
    pub compressed: (u64, u64),
    /// Bytes of the archives, before and after.
    pub archives: (u64, u64),
    /// Bytes that a container sees, before and after.
    pub visible: (u64, u64),
    /// Bytes that later layers hide, before and after.
    pub hidden: (u64, u64),
    /// Files that came, went or changed their size, those that changed most first.
    pub files: Vec<FileChange>,
}

/// A file that came, went or changed its size. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// The path.
    pub path: String,
    /// Bytes before; nothing if it was not there.
    pub before: Option<u64>,
    /// Bytes after; nothing if it is gone.
    pub after: Option<u64>,
}

impl SizeChange {
    /// Compares two reports.
    #[must_use]
    pub fn between(before: &SizeReport, after: &SizeReport) -> Self {
        let by_path = |report: &SizeReport| -> BTreeMap<String, u64> {
            report.files.iter().map(|file| (file.path.clone(), file.bytes)).collect()
        };
        let (old, new) = (by_path(before), by_path(after));
        let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let changes = paths.into_iter().map(|path| FileChange {
            path: path.clone(),
            before: old.get(path).copied(),
            after: new.get(path).copied(),
        });
        let mut files: Vec<FileChange> = changes.filter(|change| change.before != change.after).collect();
        let moved = |change: &FileChange| change.before.unwrap_or(0).abs_diff(change.after.unwrap_or(0));
        files.sort_by(|a, b| moved(b).cmp(&moved(a)).then_with(|| a.path.cmp(&b.path)));
        Self {
            compressed: (before.compressed(), after.compressed()),
            archives: (before.archives(), after.archives()),
            visible: (before.visible(), after.visible()),
            hidden: (before.hidden, after.hidden),
            files,
        }
    }

    /// A change in percent with one decimal, rounded to nearest: `-83.2 %`. From nothing there is no percentage.
    ///
    /// ```
    /// assert_eq!(lotse_oci::SizeChange::percent((1038, 174)), "-83.2 %");
    /// assert_eq!(lotse_oci::SizeChange::percent((1000, 1001)), "+0.1 %");
    /// assert_eq!(lotse_oci::SizeChange::percent((0, 5)), "new");
    /// ```
    #[must_use]
    pub fn percent((before, after): (u64, u64)) -> String {
        if before == 0 {
            return if after == 0 { "+0.0 %".to_owned() } else { "new".to_owned() };
        }
        let difference = u128::from(before.abs_diff(after));
        let tenths = (difference * 1000 + u128::from(before) / 2) / u128::from(before);
        let sign = if after < before { '-' } else { '+' };
        format!("{sign}{}.{} %", tenths / 10, tenths % 10)
    }
}
