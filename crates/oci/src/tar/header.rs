//! The 512-byte ustar header (POSIX.1-2017, pax, "ustar Interchange Format").

/// Bytes of a header and of the unit that content is padded to.
pub(crate) const BLOCK: usize = 512;

/// A header being filled in or read.
#[derive(Clone)]
pub(super) struct Header([u8; BLOCK]);

/// Where a field stands in the header: offset and length.
#[derive(Clone, Copy)]
pub(super) struct Field(usize, usize);

pub(super) const NAME: Field = Field(0, 100);
pub(super) const MODE: Field = Field(100, 8);
pub(super) const UID: Field = Field(108, 8);
pub(super) const GID: Field = Field(116, 8);
pub(super) const SIZE: Field = Field(124, 12);
pub(super) const MTIME: Field = Field(136, 12);
pub(super) const CHECKSUM: Field = Field(148, 8);
pub(super) const TYPE: Field = Field(156, 1);
pub(super) const LINK: Field = Field(157, 100);
pub(super) const MAGIC: Field = Field(257, 8);
pub(super) const DEV_MAJOR: Field = Field(329, 8);
pub(super) const DEV_MINOR: Field = Field(337, 8);
pub(super) const PREFIX: Field = Field(345, 155);

impl Header {
    pub(super) const fn zeroed() -> Self {
        Self([0; BLOCK])
    }

    pub(super) const fn bytes(&self) -> &[u8; BLOCK] {
        &self.0
    }

    pub(super) const fn bytes_mut(&mut self) -> &mut [u8; BLOCK] {
        &mut self.0
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.iter().all(|&byte| byte == 0)
    }

    /// The bytes of a field, all of them.
    pub(super) fn raw(&self, field: Field) -> &[u8] {
        self.0.get(field.0..field.0 + field.1).unwrap_or(&[])
    }

    /// The bytes of a text field up to its first NUL.
    pub(super) fn text(&self, field: Field) -> &[u8] {
        let raw = self.raw(field);
        raw.split(|&byte| byte == 0).next().unwrap_or(raw)
    }

    /// Writes `value`, which must fit; the rest of the field stays NUL.
    pub(super) fn put(&mut self, field: Field, value: &[u8]) {
        for (to, from) in self.0.iter_mut().skip(field.0).take(field.1).zip(value) {
            *to = *from;
        }
    }

    /// Writes an octal number with leading zeros and a NUL at the end, or says that it does not fit.
    pub(super) fn put_octal(&mut self, field: Field, value: u64) -> bool {
        let digits = field.1 - 1;
        let text = format!("{value:0digits$o}");
        let fits = text.len() == digits;
        if fits {
            self.put(field, text.as_bytes());
        }
        fits
    }

    /// The sum of all bytes with the checksum field taken as blanks.
    pub(super) fn checksum(&self) -> u64 {
        let all: u64 = self.0.iter().map(|&byte| u64::from(byte)).sum();
        let field: u64 = self.raw(CHECKSUM).iter().map(|&byte| u64::from(byte)).sum();
        all - field + 8 * u64::from(b' ')
    }

    /// Reads an octal number, padded with blanks or NULs, or GNU's base-256 form of a number that is not negative.
    pub(super) fn number(&self, field: Field) -> Option<u64> {
        let raw = self.raw(field);
        let (first, rest) = raw.split_first()?;
        if *first == 0x80 {
            return rest
                .iter()
                .try_fold(0u64, |sum, &byte| sum.checked_mul(256)?.checked_add(u64::from(byte)));
        }
        if *first > 0x80 {
            return None;
        }
        let end = raw.iter().position(|&byte| byte == 0).unwrap_or(raw.len());
        let text = raw.get(..end)?;
        if raw.get(end..)?.iter().any(|&byte| byte != 0 && byte != b' ') {
            return None;
        }
        let text = std::str::from_utf8(text).ok()?.trim_matches(' ');
        if text.is_empty() {
            Some(0)
        } else {
            u64::from_str_radix(text, 8).ok().filter(|_| !text.starts_with('+'))
        }
    }
}
