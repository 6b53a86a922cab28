//! Folders that hold a node's data: locked by one process, and synced so that changes survive a power failure.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The name of the lock file in a locked folder. Its content means nothing; it stays when the process is gone.
const LOCK_FILE: &str = "tonesa.lock";

/// Why a folder cannot be used.
#[derive(Debug, Error)]
pub enum FolderError {
    /// Another process, or this one, has locked it already.
    #[error(
        "the folder {} is in use by another running node; give each node its own TONESA_DATA_DIR",
        .0.display()
    )]
    InUse(PathBuf),
    /// It cannot be created, read or written.
    #[error(
        "the folder {} cannot be used ({source}); TONESA_DATA_DIR must name a folder that the node may write to",
        .folder.display()
    )]
    Unusable {
        /// The folder.
        folder: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// A folder that no other process can lock until this is dropped. The system releases the lock when the process dies.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "held for its lock")] File);

impl FolderLock {
    /// Creates the folder if it does not exist, and locks it.
    ///
    /// # Errors
    /// When it is locked already, or cannot be written to.
    pub fn acquire(folder: &Path) -> Result<Self, FolderError> {
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

/// Creates the folder and its parents if they do not exist, so that the folder survives a power failure. A new folder
/// is accessible to the node's user only; an existing one keeps its permissions.
///
/// # Errors
/// The system's error.
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

/// Creates a file that only the node's user may read, unless it exists.
///
/// # Errors
/// The system's error.
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

/// Syncs a folder, so that files created, renamed or removed in it stay so after a power failure.
///
/// # Errors
/// The system's error.
pub fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_locked_once() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("made/on/the/way");
        let lock = FolderLock::acquire(&folder).unwrap();
        let refused = FolderLock::acquire(&folder).unwrap_err();
        assert!(matches!(refused, FolderError::InUse(_)));
        assert!(refused.to_string().contains("TONESA_DATA_DIR"));
        drop(lock);
        FolderLock::acquire(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_new_folder_is_private_and_an_existing_one_keeps_its_permissions() {
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
    fn a_file_cannot_be_locked_as_a_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let refused = FolderLock::acquire(file.path()).unwrap_err();
        assert!(matches!(refused, FolderError::Unusable { .. }));
        assert!(refused.to_string().contains("TONESA_DATA_DIR"));
    }
}
