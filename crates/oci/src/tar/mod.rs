//! The tar archive of a layer: one canonical way to write it, one strict way to read it.

mod header;
mod path;
mod pax;
mod reader;
mod writer;

pub(crate) use header::BLOCK;
pub(crate) use pax::records;
pub(crate) use reader::{TarEntry, TarKind, TarReader};
pub(crate) use writer::write_tar;
