//! A gzip stream whose bytes depend on its content alone.

use std::io::{self, Write};

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params,
};

/// Bytes 0-9 of the member: no name, no time, no level, operating system unknown (RFC 1952, 2.3).
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// The level of zlib that the encoder's parameters are taken from.
const LEVEL: i32 = 6;

/// Compresses what is written to it. [`finish`](Self::finish) writes the trailer.
///
/// The encoder is one exact version of one crate with one setting, never a backend that another crate's features may swap.
pub(crate) struct GzipWriter<W: Write> {
    inner: W,
    encoder: Box<CompressorOxide>,
    buffer: Vec<u8>,
    checksum: crc32fast::Hasher,
    length: u32,
}

impl<W: Write> GzipWriter<W> {
    pub(crate) fn new(mut inner: W) -> io::Result<Self> {
        inner.write_all(&HEADER)?;
        // Window bits 0: raw DEFLATE without zlib's frame.
        let flags = create_comp_flags_from_zip_params(LEVEL, 0, 0);
        Ok(Self {
            inner,
            encoder: Box::new(CompressorOxide::new(flags)),
            buffer: vec![0; 64 << 10],
            checksum: crc32fast::Hasher::new(),
            length: 0,
        })
    }

    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.deflate(&[], TDEFLFlush::Finish)?;
        let Self { mut inner, checksum, length, .. } = self;
        inner.write_all(&checksum.finalize().to_le_bytes())?;
        inner.write_all(&length.to_le_bytes())?;
        Ok(inner)
    }

    fn deflate(&mut self, mut input: &[u8], flush: TDEFLFlush) -> io::Result<()> {
        loop {
            let (status, read, written) = compress(&mut self.encoder, input, &mut self.buffer, flush);
            self.inner.write_all(self.buffer.get(..written).unwrap_or(&[]))?;
            input = input.get(read..).unwrap_or(&[]);
            match status {
                TDEFLStatus::Done => return Ok(()),
                TDEFLStatus::Okay if flush == TDEFLFlush::None && input.is_empty() => return Ok(()),
                TDEFLStatus::Okay => {}
                TDEFLStatus::BadParam | TDEFLStatus::PutBufFailed => {
                    return Err(io::Error::other("the DEFLATE encoder refused its input"));
                }
            }
        }
    }
}

impl<W: Write> Write for GzipWriter<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.deflate(buffer, TDEFLFlush::None)?;
        self.checksum.update(buffer);
        // ISIZE is the length modulo 2^32 (RFC 1952, 2.3.1); the low 32 bits of the count are that.
        let low = u32::try_from(u64::try_from(buffer.len()).unwrap_or(0) & u64::from(u32::MAX)).unwrap_or(0);
        self.length = self.length.wrapping_add(low);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
