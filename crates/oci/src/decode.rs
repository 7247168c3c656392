//! The tar archive inside a layer's blob.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use crate::{Error, media};

/// Takes the compression that the media type names off a blob.
pub(crate) fn decoder<'a, R: Read + 'a>(blob: R, media_type: &str) -> Result<Box<dyn Read + 'a>, Error> {
    Ok(match media::encoding(media_type)? {
        media::Encoding::Plain => Box::new(blob),
        media::Encoding::Gzip => Box::new(MultiGzDecoder::new(blob)),
    })
}
