use std::io::{self, Read, Write};

use crate::{Algorithm, Digest, Hasher};

/// Hashes and counts what is read through it.
#[derive(Debug)]
pub struct HashingReader<R> {
    inner: R,
    hasher: Hasher,
    length: u64,
}

impl<R: Read> HashingReader<R> {
    /// Reads from `inner`, hashing with `algorithm`.
    pub fn new(inner: R, algorithm: Algorithm) -> Self {
        Self { inner, hasher: Hasher::new(algorithm), length: 0 }
    }

    /// The digest and the number of the bytes read so far, and the reader back.
    pub fn finish(self) -> (Digest, u64, R) {
        (self.hasher.finish(), self.length, self.inner)
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if let Some(piece) = buffer.get(..count) {
            self.hasher.update(piece);
        }
        self.length = self.length.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

/// Hashes and counts what is written through it.
#[derive(Debug)]
pub struct HashingWriter<W> {
    inner: W,
    hasher: Hasher,
    length: u64,
}

impl<W: Write> HashingWriter<W> {
    /// Writes to `inner`, hashing with `algorithm` what `inner` took.
    pub fn new(inner: W, algorithm: Algorithm) -> Self {
        Self { inner, hasher: Hasher::new(algorithm), length: 0 }
    }

    /// The digest and the number of the bytes written so far, and the writer back (not flushed).
    pub fn finish(self) -> (Digest, u64, W) {
        (self.hasher.finish(), self.length, self.inner)
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(buffer)?;
        if let Some(piece) = buffer.get(..count) {
            self.hasher.update(piece);
        }
        self.length = self.length.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Reads content of a known size and digest, and fails at its end if either is wrong.
///
/// The error comes with the read that would have returned the end of the content, so a caller that reads to the end never
/// takes wrong content for right. A source longer than `size` fails as soon as the first byte too many is seen.
#[derive(Debug)]
pub struct VerifyingReader<R> {
    inner: R,
    hasher: Option<Hasher>,
    expected: Digest,
    size: u64,
    length: u64,
}

impl<R: Read> VerifyingReader<R> {
    /// Reads from `inner` what must have exactly `size` bytes and the digest `expected`.
    pub fn new(inner: R, expected: Digest, size: u64) -> Self {
        let hasher = Some(Hasher::new(expected.algorithm()));
        Self { inner, hasher, expected, size, length: 0 }
    }

    /// Reads the rest, which must verify, and returns it.
    ///
    /// # Errors
    ///
    /// Those of the source, and [`io::ErrorKind::InvalidData`] on a wrong size or digest.
    pub fn read_verified(mut self) -> io::Result<Vec<u8>> {
        let mut content = Vec::with_capacity(usize::try_from(self.size.min(1 << 20)).unwrap_or(0));
        self.read_to_end(&mut content)?;
        Ok(content)
    }

    fn end(&mut self) -> io::Result<usize> {
        let Some(hasher) = self.hasher.take() else { return Ok(0) };
        if self.length != self.size {
            let text = format!("content ends after {} bytes, expected {}", self.length, self.size);
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        match self.expected.verify_computed(hasher.finish(), self.length) {
            Ok(()) => Ok(0),
            Err(mismatch) => Err(io::Error::new(io::ErrorKind::InvalidData, mismatch)),
        }
    }
}

impl<R: Read> Read for VerifyingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.inner.read(buffer)?;
        if count == 0 {
            return self.end();
        }
        self.length = self.length.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        if self.length > self.size {
            let text = format!("content is longer than the expected {} bytes", self.size);
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        if let (Some(hasher), Some(piece)) = (&mut self.hasher, buffer.get(..count)) {
            hasher.update(piece);
        }
        Ok(count)
    }
}
