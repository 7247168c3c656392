//! What the headers before an entry say about it: PAX records (POSIX.1-2017, pax, "pax Extended Header") and GNU long names.

use std::collections::BTreeMap;

use super::reader::Fault;

/// The keys that name an extended attribute, and that no value but bytes may follow.
pub(crate) const XATTR: &str = "SCHILY.xattr.";

/// What was said so far about the next entry.
#[derive(Default)]
pub(super) struct Extended {
    pub(super) path: Option<String>,
    pub(super) link: Option<String>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) mtime: Option<i64>,
    pub(super) xattrs: BTreeMap<String, Vec<u8>>,
    pax: bool,
    gnu: bool,
}

impl Extended {
    /// Whether anything was said that an entry must follow.
    pub(super) const fn seen(&self) -> bool {
        self.pax || self.gnu
    }

    /// The records of a PAX header. One that is malformed is an error, never skipped.
    pub(super) fn pax(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if self.pax {
            return Err(Fault::malformed("two extended headers stand before one entry"));
        }
        if self.gnu {
            return Err(mixed());
        }
        self.pax = true;
        for (key, value) in records(bytes)? {
            if let Some(name) = key.strip_prefix(XATTR) {
                if name.is_empty() || name.contains('\0') {
                    return Err(Fault::malformed("an extended attribute has no name"));
                }
                self.xattrs.insert(name.to_owned(), value);
                continue;
            }
            match key.as_str() {
                "path" => self.path = Some(utf8(&value)?),
                "linkpath" => self.link = Some(utf8(&value)?),
                "size" => self.size = Some(decimal(&key, &value)?),
                "uid" => self.uid = Some(id(&key, &value)?),
                "gid" => self.gid = Some(id(&key, &value)?),
                "mtime" => self.mtime = Some(seconds(&value)?),
                _ if key.starts_with("GNU.sparse.") || key == "hdrcharset" => {
                    return Err(Fault::Unsupported {
                        what: format!("PAX record {key:?}"),
                        advice: "sparse files and other character sets are refused",
                    });
                }
                // Other times, names of owners and what a writer adds for itself say nothing about the file that is used here.
                _ => {}
            }
        }
        Ok(())
    }

    /// A global header may carry a comment (`git archive` writes one); it may not rename or resize entries.
    pub(super) fn global(&self, bytes: &[u8]) -> Result<(), Fault> {
        if self.seen() {
            return Err(Fault::malformed("a global header stands between an extended header and its entry"));
        }
        for (key, _) in records(bytes)? {
            if key != "comment" {
                return Err(Fault::Unsupported {
                    what: format!("global PAX record {key:?}"),
                    advice: "readers disagree on what it applies to, so it is refused",
                });
            }
        }
        Ok(())
    }

    /// GNU's `L` header: the entry's path.
    pub(super) fn long_name(&mut self, content: &[u8]) -> Result<(), Fault> {
        self.gnu = true;
        long(self.pax, &mut self.path, content)
    }

    /// GNU's `K` header: the entry's link target.
    pub(super) fn long_link(&mut self, content: &[u8]) -> Result<(), Fault> {
        self.gnu = true;
        long(self.pax, &mut self.link, content)
    }
}

fn long(pax: bool, to: &mut Option<String>, content: &[u8]) -> Result<(), Fault> {
    if pax {
        return Err(mixed());
    }
    if to.is_some() {
        return Err(Fault::malformed("an entry is named by two headers"));
    }
    *to = Some(utf8(content.strip_suffix(&[0]).unwrap_or(content))?);
    Ok(())
}

/// Readers disagree on which of the two the entry gets, and some apply the first to the second.
fn mixed() -> Fault {
    Fault::malformed("an entry has an extended header of PAX and one of GNU")
}

/// The records of an extended header, each key once.
pub(crate) fn records(mut bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Fault> {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let mut records = Vec::new();
    let fault = || Fault::malformed("a PAX record is malformed");
    while !bytes.is_empty() {
        let blank = bytes.iter().take(20).position(|&byte| byte == b' ').ok_or_else(fault)?;
        let digits =
            bytes.get(..blank).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(fault)?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty();
        let length = digits.parse::<usize>().ok().filter(|_| plain).ok_or_else(fault)?;
        let record =
            bytes.get(blank + 1..length).and_then(|record| record.strip_suffix(b"\n")).ok_or_else(fault)?;
        let equals = record.iter().position(|&byte| byte == b'=').ok_or_else(fault)?;
        let (key, value) = record.split_at_checked(equals).ok_or_else(fault)?;
        let key = utf8(key)?;
        if key.is_empty() {
            return Err(fault());
        }
        if found.insert(key.clone(), length).is_some() {
            return Err(Fault::malformed(format!("PAX record {key:?} comes twice")));
        }
        records.push((key, value.get(1..).unwrap_or(&[]).to_vec()));
        bytes = bytes.get(length..).ok_or_else(fault)?;
    }
    Ok(records)
}

pub(super) fn utf8(bytes: &[u8]) -> Result<String, Fault> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Fault::malformed("a name is not UTF-8"))
}

fn decimal(key: &str, value: &[u8]) -> Result<u64, Fault> {
    let plain = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    number.filter(|_| plain).ok_or_else(|| Fault::malformed(format!("PAX record {key:?} is no number")))
}

fn id(key: &str, value: &[u8]) -> Result<u32, Fault> {
    u32::try_from(decimal(key, value)?)
        .map_err(|_| Fault::malformed(format!("PAX record {key:?} is too large")))
}

/// A time as `[-]seconds[.fraction]`, cut to the whole second at or before it.
fn seconds(value: &[u8]) -> Result<i64, Fault> {
    let fault = || Fault::malformed("PAX record \"mtime\" is no time");
    let text = std::str::from_utf8(value).map_err(|_| fault())?;
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(fault());
    }
    let whole: i64 = whole.parse().map_err(|_| fault())?;
    let part = fraction.bytes().any(|byte| byte != b'0');
    Ok(if negative { -whole - i64::from(part) } else { whole })
}
