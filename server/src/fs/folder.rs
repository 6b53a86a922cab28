//! Folders that hold a node's data: claimed by one process, and synced so that new names in them last.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The name of the file that marks a claimed folder. Its content means nothing; it stays when the process is gone.
const LOCK_FILE: &str = "tonesa.lock";

/// Why a folder cannot be used.
#[derive(Debug, Error)]
pub enum FolderError {
    /// Another process has claimed it, or this one has already.
    #[error(
        "the folder {} is in use by another running node; give each node its own TONESA_DATA_DIR",
        .0.display()
    )]
    InUse(PathBuf),
    /// It cannot be made, read or written.
    #[error(
        "the folder {} cannot be used ({source}); TONESA_DATA_DIR must name a folder that the node may write to",
        .folder.display()
    )]
    Unusable {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A folder that no other process can claim until this is dropped. The system ends the claim when the process dies,
/// however it dies.
#[derive(Debug)]
pub struct FolderClaim(#[expect(dead_code, reason = "held for its lock")] File);

impl FolderClaim {
    /// Makes the folder if need be and claims it.
    ///
    /// # Errors
    /// When it is claimed already, or cannot be written to.
    pub fn take(folder: &Path) -> Result<Self, FolderError> {
        let unusable = |source| FolderError::Unusable {
            folder: folder.to_owned(),
            source,
        };
        create(folder).map_err(unusable)?;
        let file = File::create(folder.join(LOCK_FILE)).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(folder.to_owned())),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}

/// Makes the folder and its parents if need be, so that the folder itself outlives a loss of power. One that is made
/// here is for the node's own user; one that was there keeps its rights.
///
/// # Errors
/// What the system says.
pub fn create(folder: &Path) -> io::Result<()> {
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)?;
    }
    match private_folder().create(folder) {
        Err(error) if !folder.is_dir() => return Err(error),
        _ => {}
    }
    match folder.canonicalize()?.parent() {
        Some(parent) => sync(parent),
        None => Ok(()),
    }
}

/// Makes a file that only the node's own user may read, unless there is one.
///
/// # Errors
/// What the system says.
pub fn create_private_file(file: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(file).map(drop)
}

fn private_folder() -> DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has a mode to set"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    builder.mode(0o700);
    builder
}

/// Makes the names in a folder (files made, renamed or removed there) outlive a loss of power.
///
/// # Errors
/// What the system says.
pub fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_claimed_by_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("made/on/the/way");
        let claim = FolderClaim::take(&folder).unwrap();
        let refused = FolderClaim::take(&folder).unwrap_err();
        assert!(matches!(refused, FolderError::InUse(_)));
        assert!(refused.to_string().contains("TONESA_DATA_DIR"));
        drop(claim);
        FolderClaim::take(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_is_made_is_private_and_one_that_was_there_stays_as_it_is() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("data");
        create(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        let file = folder.join("file");
        create_private_file(&file).unwrap();
        assert_eq!(mode(&file), 0o600);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        create(&folder).unwrap();
        assert_eq!(mode(&folder), 0o755);
    }

    #[test]
    fn a_file_is_no_folder_to_claim() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let refused = FolderClaim::take(file.path()).unwrap_err();
        assert!(matches!(refused, FolderError::Unusable { .. }));
        assert!(refused.to_string().contains("TONESA_DATA_DIR"));
    }
}
