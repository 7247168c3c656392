use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use crate::{Error, Limits};

/// How much is asked of a decoder at once: what it may go beyond a limit.
const PIECE: usize = 64 << 10;

/// Counts what is read through it; the count can be asked for while the reader is elsewhere.
pub(crate) struct Counting<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R> Counting<R> {
    pub(crate) fn new(inner: R) -> (Self, Rc<Cell<u64>>) {
        let count = Rc::new(Cell::new(0));
        (Self { inner, count: Rc::clone(&count) }, count)
    }
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.set(self.count.get().saturating_add(u64::try_from(count).unwrap_or(u64::MAX)));
        Ok(count)
    }
}

/// What comes out of a decoder, stopped at [`Limits::layer_bytes`] and [`Limits::ratio`]: no more than 64 KiB beyond either are
/// ever decoded.
pub(crate) struct Bounded<R> {
    decoder: R,
    /// Bytes that the decoder has taken in.
    taken: Rc<Cell<u64>>,
    given: u64,
    limits: Limits,
}

impl<R> Bounded<R> {
    pub(crate) const fn new(decoder: R, taken: Rc<Cell<u64>>, limits: Limits) -> Self {
        Self { decoder, taken, given: 0, limits }
    }

    fn check(&self) -> Result<(), Error> {
        let Limits { layer_bytes, ratio, .. } = self.limits;
        if self.given > layer_bytes {
            let what = "uncompressed bytes of a layer".to_owned();
            return Err(Error::Limit { what, limit: layer_bytes });
        }
        let beyond = self.given.saturating_sub(Limits::RATIO_FREE);
        if beyond > self.taken.get().saturating_mul(ratio) {
            let what = "uncompressed bytes of a layer to one of its blob".to_owned();
            return Err(Error::Limit { what, limit: ratio });
        }
        Ok(())
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(PIECE);
        let count = self.decoder.read(buffer.get_mut(..length).unwrap_or(&mut []))?;
        self.given = self.given.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        self.check().map_err(io::Error::other)?;
        Ok(count)
    }
}
