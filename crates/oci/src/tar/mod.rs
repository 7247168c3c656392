//! The tar archive of a layer: one canonical way to write it, one strict way to read it.

mod header;
mod path;
pub(crate) mod pax;
mod reader;
mod writer;

pub(crate) use reader::{TarEntry, TarKind, TarReader};
pub(crate) use writer::write_tar;
