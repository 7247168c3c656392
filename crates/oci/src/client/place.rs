use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use lotse_digest::Reference;

use super::Client;
use crate::{Descriptor, Error, Layout, Limits};

/// Where an image is: in a layout or in a registry.
///
/// ```
/// use lotse_oci::client::Place;
///
/// assert!(matches!("oci:build/images:v1".parse()?, Place::Layout { .. }));
/// assert!(matches!("localhost:5000/team/app:v1".parse()?, Place::Registry(_)));
/// # Ok::<(), lotse_oci::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// `oci:PATH:TAG` or `oci:PATH@DIGEST`: a layout on disk.
    Layout {
        /// Its directory.
        path: PathBuf,
        /// A tag or a digest.
        tag: String,
    },
    /// `HOST/NAME:TAG` or `HOST/NAME@DIGEST`: a registry.
    Registry(Reference),
}

impl FromStr for Place {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let Some(layout) = text.strip_prefix("oci:") else {
            let wrong =
                |error| Error::Caller(format!("{text:?} is neither oci:PATH:TAG nor HOST/NAME:TAG: {error}"));
            return text.parse().map(Self::Registry).map_err(wrong);
        };
        let parts = layout.split_once('@').or_else(|| layout.rsplit_once(':'));
        match parts {
            Some((path, tag)) if !path.is_empty() && !tag.is_empty() && !tag.contains('/') => {
                Ok(Self::Layout { path: path.into(), tag: tag.to_owned() })
            }
            _ => Err(Error::Caller(format!("{text:?} is not like oci:PATH:TAG; a tag is needed"))),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layout { path, tag } => {
                let mark = if tag.contains(':') { '@' } else { ':' };
                write!(formatter, "oci:{}{mark}{tag}", path.display())
            }
            Self::Registry(reference) => reference.fmt(formatter),
        }
    }
}

impl Client {
    /// Copies an image or index with everything that belongs to it from one place to another, whichever they are. A layout
    /// that it is copied into is made if it is not there. Digests do not change.
    ///
    /// # Errors
    ///
    /// Those of [`push`](Self::push), [`pull`](Self::pull), [`copy`](Self::copy) and [`Layout::import`].
    pub fn transfer(&self, from: &Place, to: &Place) -> Result<Descriptor, Error> {
        match (from, to) {
            (Place::Registry(from), Place::Registry(to)) => self.copy(from, to),
            (Place::Registry(from), Place::Layout { path, tag }) => {
                self.pull(from, &Layout::create(path, Limits::default())?, tag)
            }
            (Place::Layout { path, tag }, Place::Registry(to)) => {
                self.push(&Layout::open(path, Limits::default())?, tag, to)
            }
            (Place::Layout { path: from, tag: of }, Place::Layout { path: to, tag }) => {
                let (from, to) =
                    (Layout::open(from, Limits::default())?, Layout::create(to, Limits::default())?);
                let descriptor = from.resolve(of)?;
                to.import(&from, &descriptor)?;
                to.tag(&descriptor, tag)?;
                Ok(descriptor)
            }
        }
    }

    /// A layout that holds what is at `place`: that layout itself, or one in `scratch` that it is pulled into.
    ///
    /// # Errors
    ///
    /// Those of [`Layout::open`], [`Layout::resolve`] and [`pull`](Self::pull).
    pub fn at_hand(&self, place: &Place, scratch: &Path) -> Result<(Layout, Descriptor), Error> {
        match place {
            Place::Layout { path, tag } => {
                let layout = Layout::open(path, Limits::default())?;
                let descriptor = layout.resolve(tag)?;
                Ok((layout, descriptor))
            }
            Place::Registry(reference) => {
                let layout = Layout::create(scratch, Limits::default())?;
                let descriptor = self.pull(reference, &layout, "at-hand")?;
                Ok((layout, descriptor))
            }
        }
    }
}
