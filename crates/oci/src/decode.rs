//! The tar archive inside a layer's blob.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use crate::{Error, media};

/// The largest window of zstd that is accepted, as a power of two: 128 MiB, libzstd's own limit.
#[cfg(feature = "zstd")]
const ZSTD_WINDOW: u32 = 27;

/// Takes the compression that the media type names off a blob.
pub(crate) fn decoder<'a, R: Read + 'a>(blob: R, media_type: &str) -> Result<Box<dyn Read + 'a>, Error> {
    Ok(match media::encoding(media_type)? {
        media::Encoding::Plain => Box::new(blob),
        media::Encoding::Gzip => Box::new(MultiGzDecoder::new(blob)),
        #[cfg(feature = "zstd")]
        media::Encoding::Zstd => {
            let failed = |error| Error::malformed("zstd layer", format!("its decoder cannot begin: {error}"));
            let mut decoder = zstd::Decoder::new(blob).map_err(failed)?;
            decoder.window_log_max(ZSTD_WINDOW).map_err(failed)?;
            Box::new(decoder)
        }
    })
}
