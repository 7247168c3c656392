//! A gzip stream whose bytes depend on its content alone.

mod pool;

use std::io::{self, Write};
use std::num::NonZeroUsize;

use crate::deflate::{END, Encoder, PIECE, WINDOW};
use pool::Pool;

/// Bytes 0-9 of the member: no name, no time, no level, operating system unknown (RFC 1952, 2.3).
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Compresses what is written to it into one gzip member, by the encoder of `lotse-layer/1`: the same bytes on every
/// machine, with any number of threads and from every version of this crate.
///
/// [`finish`](Self::finish) writes the end; without it the stream is cut off. At least as small as zlib's level 6 on source
/// trees and programs.
///
/// ```
/// use std::io::Write;
/// use std::num::NonZeroUsize;
///
/// let mut gzip = lotse_oci::GzipWriter::new(Vec::new(), NonZeroUsize::MIN);
/// gzip.write_all(b"hello hello hello\n")?;
/// let bytes = gzip.finish()?;
/// assert_eq!(lotse_digest::Digest::sha256(&bytes).encoded(), "2afd8fd64854535809426430a7637bfffd7988b225390647df7d69436b47bd65");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct GzipWriter<W: Write> {
    inner: W,
    /// The window of the piece that is being filled, and the piece.
    input: Vec<u8>,
    /// How much of `input` is window.
    window: usize,
    started: bool,
    checksum: crc32fast::Hasher,
    length: u32,
    pool: Pool,
}

impl<W: Write> GzipWriter<W> {
    /// Begins a stream that is compressed by `threads` threads, the calling one among them.
    #[must_use]
    pub fn new(inner: W, threads: NonZeroUsize) -> Self {
        Self {
            inner,
            input: Vec::with_capacity(WINDOW + PIECE),
            window: 0,
            started: false,
            checksum: crc32fast::Hasher::new(),
            length: 0,
            pool: Pool::new(threads),
        }
    }

    /// Ends the stream and hands the writer back.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.start()?;
        if self.input.len() > self.window {
            self.encode()?;
        }
        while let Some(encoded) = self.pool.wait()? {
            self.inner.write_all(&encoded)?;
        }
        let Self { mut inner, checksum, length, .. } = self;
        inner.write_all(&END)?;
        inner.write_all(&checksum.finalize().to_le_bytes())?;
        inner.write_all(&length.to_le_bytes())?;
        Ok(inner)
    }

    fn start(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.started, true) {
            self.inner.write_all(&HEADER)?;
        }
        Ok(())
    }

    /// Gives the piece to the pool and begins the next one; writes what is ready.
    fn encode(&mut self) -> io::Result<()> {
        let mut next = self.pool.buffer();
        let tail = self.input.len().saturating_sub(WINDOW);
        next.extend_from_slice(self.input.get(tail..).unwrap_or(&[]));
        let window = std::mem::replace(&mut self.window, next.len());
        let input = std::mem::replace(&mut self.input, next);
        self.pool.give(input, window)?;
        while let Some(encoded) = self.pool.ready()? {
            self.inner.write_all(&encoded)?;
            self.pool.take_back(encoded);
        }
        Ok(())
    }
}

impl<W: Write> Write for GzipWriter<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.start()?;
        let room = self.window + PIECE - self.input.len();
        let part = buffer.get(..room).unwrap_or(buffer);
        self.input.extend_from_slice(part);
        self.checksum.update(part);
        // ISIZE is the length modulo 2^32 (RFC 1952, 2.3.1); a part is at most a piece long.
        self.length = self.length.wrapping_add(u32::try_from(part.len()).unwrap_or(0));
        if part.len() == room {
            self.encode()?;
        }
        Ok(part.len())
    }

    /// Flushes the writer; what has not filled a piece stays.
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
