use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use lotse_digest::Digest;

use crate::Error;
use crate::distribution::{Repository, UploadState};

/// The file that holds the state of one upload, in a directory of the caller's choosing.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    written: Option<UploadState>,
}

impl StateFile {
    pub(super) fn new(directory: &Path, repository: &Repository, digest: &Digest) -> Result<Self, Error> {
        fs::create_dir_all(directory).map_err(Error::io("create", directory))?;
        let key = format!("{}{}", repository.root(), repository.name());
        let place = Digest::sha256(key.as_bytes()).encoded();
        let place: String = place.chars().take(16).collect();
        let name = format!("upload-{place}-{}-{}.json", digest.algorithm(), digest.encoded());
        Ok(Self { path: directory.join(name), written: None })
    }

    /// What an earlier process left. What cannot be read is as good as nothing: the upload begins anew.
    pub(super) fn read(&mut self) -> Option<UploadState> {
        let state = UploadState::parse(&fs::read(&self.path).ok()?).ok()?;
        self.written = Some(state.clone());
        Some(state)
    }

    /// Writes the state if it is another one, synced before it gets its name.
    pub(super) fn write(&mut self, state: Option<UploadState>) -> Result<(), Error> {
        if state == self.written {
            return Ok(());
        }
        match &state {
            None => self.remove()?,
            Some(state) => {
                let temporary = self.path.with_extension("tmp");
                let mut options = OpenOptions::new();
                options.write(true).create(true).truncate(true);
                // The location may be a secret.
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let mut file = options.open(&temporary).map_err(Error::io("create", &temporary))?;
                file.write_all(&state.to_bytes()?)
                    .and_then(|()| file.sync_all())
                    .map_err(Error::io("write", &temporary))?;
                fs::rename(&temporary, &self.path).map_err(Error::io("rename to", &self.path))?;
            }
        }
        self.written = state;
        Ok(())
    }

    /// Removes the state, and what a process that was killed while it wrote left beside it.
    pub(super) fn remove(&self) -> Result<(), Error> {
        for path in [&self.path.with_extension("tmp"), &self.path] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io("remove", path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
