//! Looking into a directory, a repository or an image with one call.

use std::collections::BTreeMap;
use std::path::Path;

use lotse_oci::{EntryKind, FileSystem, Image, Layout};
use lotse_sbom::{Catalogue, Inventory, catalogue_directory};
use lotse_secret_scan::{Findings, Scanner, scan_directory, scan_history, scan_image};

use crate::Error;

/// What is inside a directory, or inside the image with this tag or digest if the directory is an OCI layout.
///
/// # Errors
///
/// Those of reading; [`Error::Caller`] if a layout holds several images and none is named.
pub fn inventory(path: &Path, image: Option<&str>) -> Result<Inventory, Error> {
    let Some((layout, image)) = find_image(path, image)? else {
        return Ok(catalogue_directory(path, lotse_sbom::Limits::for_images())?);
    };
    let files = package_files(&layout, &image)?;
    let mut catalogue = Catalogue::new(lotse_sbom::Limits::for_images());
    for (path, bytes) in &files {
        catalogue.add(path, bytes)?;
    }
    Ok(catalogue.finish())
}

/// The visible files of an image that a catalogue reads, by path.
pub(crate) fn package_files(
    layout: &Layout,
    image: &Image,
) -> Result<BTreeMap<String, Vec<u8>>, lotse_oci::Error> {
    let system = FileSystem::of(layout, image)?;
    let mut files = BTreeMap::new();
    image.visit(layout, &mut |entry| {
        let shown = entry.kind() == EntryKind::File && system.shows(entry.path(), entry.layer());
        if shown && Catalogue::wants(entry.path()) {
            files.insert(entry.path().to_owned(), entry.read()?);
        }
        Ok(())
    })?;
    Ok(files)
}

/// Secrets in a directory, in the whole history of a repository if `history` is set, or in every layer of an image if the
/// directory is an OCI layout.
///
/// # Errors
///
/// As [`inventory`].
pub fn scan(
    path: &Path,
    image: Option<&str>,
    history: bool,
    progress: &mut dyn FnMut(lotse_secret_scan::Progress),
) -> Result<Findings, Error> {
    let limits = lotse_secret_scan::Limits::for_repositories();
    let told = |error: lotse_secret_scan::Error| Error::below("search for secrets", &error);
    let scanner = Scanner::new(limits).map_err(told)?;
    if history {
        return scan_history(&scanner, path, progress).map_err(told);
    }
    match find_image(path, image)? {
        Some((layout, image)) => layers(&scanner, &layout, &image, "", progress),
        None => scan_directory(&scanner, path, progress).map_err(told),
    }
}

/// The layers of an image and its configuration; `of` names the image in what is found.
pub(crate) fn layers(
    scanner: &Scanner,
    layout: &Layout,
    image: &Image,
    of: &str,
    progress: &mut dyn FnMut(lotse_secret_scan::Progress),
) -> Result<Findings, Error> {
    let mut entries = Vec::new();
    image.visit(layout, &mut |entry| {
        if entry.kind() == EntryKind::File {
            entries.push((format!("{}{of}", entry.layer()), entry.path().to_owned(), entry.read()?));
        }
        Ok(())
    })?;
    let config = layout.read_blob(&image.manifest.config)?;
    let entries =
        entries.iter().map(|(layer, path, bytes)| (layer.as_str(), path.as_str(), bytes.as_slice()));
    Ok(scan_image(scanner, entries, Some(&config), progress))
}

/// The image that is meant, if the directory is an OCI layout.
fn find_image(path: &Path, wanted: Option<&str>) -> Result<Option<(Layout, Image)>, Error> {
    if !path.join("oci-layout").is_file() {
        return match wanted {
            Some(image) => Err(Error::Caller(format!(
                "{} is no OCI layout, so it holds no image {image:?}",
                path.display()
            ))),
            None => Ok(None),
        };
    }
    let layout = Layout::open(path, lotse_oci::Limits::default())?;
    if let Some(name) = wanted {
        let image = Image::load(&layout, &layout.resolve(name)?)?;
        return Ok(Some((layout, image)));
    }
    let tagged: Vec<_> =
        layout.index()?.manifests.into_iter().filter(|entry| entry.tag().is_some()).collect();
    let images: Vec<Image> = tagged.iter().filter_map(|entry| Image::load(&layout, entry).ok()).collect();
    match <[Image; 1]>::try_from(images) {
        Ok([image]) => Ok(Some((layout, image))),
        Err(images) => {
            let tags: Vec<&str> = images.iter().filter_map(|image| image.descriptor.tag()).collect();
            let text = format!(
                "the layout holds {} images; name one with --image: {}",
                images.len(),
                tags.join(", ")
            );
            Err(Error::Caller(text))
        }
    }
}
