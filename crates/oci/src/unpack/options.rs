use crate::Error;

/// How an image is unpacked. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnpackOptions {
    /// Whose the files are.
    pub owners: Owners,
    /// Whether extended attributes are set. Off by default: among them are capabilities.
    pub xattrs: bool,
    /// Whether files and directories get the times of the image.
    pub times: bool,
    /// Whether the file system is told to write everything down before the directory appears.
    pub sync: bool,
}

impl Default for UnpackOptions {
    /// The caller's files with the image's times, no extended attributes, written down.
    fn default() -> Self {
        Self { owners: Owners::Caller, xattrs: false, times: true, sync: true }
    }
}

/// Whose the unpacked files are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Owners {
    /// The caller's: owners of the image are dropped, set-user-ID and set-group-ID with them, and the caller can enter and change
    /// every directory.
    Caller,
    /// As the image has them. What the system refuses (all but root's own calls) is reported by name.
    Image,
    /// As the image has them, through ranges as in a user namespace; an owner outside all ranges is an error.
    Mapped {
        /// Ranges of users.
        users: Vec<IdRange>,
        /// Ranges of groups.
        groups: Vec<IdRange>,
    },
}

/// `count` numbers from `inside` on stand for those from `outside` on, as in `/proc/PID/uid_map`. Plain data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdRange {
    /// The first number in the image.
    pub inside: u32,
    /// The first number on disk.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

impl Owners {
    /// Owner and group on disk, or `None` if they are dropped.
    pub(super) fn of(&self, path: &str, uid: u32, gid: u32) -> Result<Option<(u32, u32)>, Error> {
        match self {
            Self::Caller => Ok(None),
            Self::Image => Ok(Some((uid, gid))),
            Self::Mapped { users, groups } => {
                Ok(Some((mapped(users, path, "user", uid)?, mapped(groups, path, "group", gid)?)))
            }
        }
    }
}

fn mapped(ranges: &[IdRange], path: &str, what: &str, id: u32) -> Result<u32, Error> {
    let found = ranges.iter().find_map(|range| {
        let offset = id.checked_sub(range.inside).filter(|offset| *offset < range.count)?;
        range.outside.checked_add(offset)
    });
    found.ok_or_else(|| Error::Caller(format!("{what} {id} of {path:?} is in no range of the map; add one")))
}

/// What was unpacked. Plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnpackReport {
    /// Regular files by name: one with two names counts twice.
    pub files: u64,
    /// Directories below the root.
    pub directories: u64,
    /// Symbolic links.
    pub symlinks: u64,
    /// Bytes of content, hard links once.
    pub bytes: u64,
    /// What is not on disk as it is in the image, by path, sorted. What [`Owners::Caller`] drops by choice is not listed.
    pub left_out: Vec<(String, Omission)>,
}

/// Something of a file that was not unpacked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Omission {
    /// The whole file: it is a device or FIFO.
    Special,
    /// The owner and group, which the system refused.
    Owner(u32, u32),
    /// The extended attribute with this name, which the system refused.
    Xattr(String),
    /// The set-user-ID or set-group-ID bit, for the owner is not the image's.
    SetId,
}
