//! Folders that hold a node's data: claimed by one process, and synced so that new names in them last.

use std::fs::{self, File, TryLockError};
use std::io;
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

/// Makes the folder and its parents if need be, so that the folder itself outlives a loss of power.
///
/// # Errors
/// What the system says.
pub fn create(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    match folder.canonicalize()?.parent() {
        Some(parent) => sync(parent),
        None => Ok(()),
    }
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

    #[test]
    fn a_file_is_no_folder_to_claim() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let refused = FolderClaim::take(file.path()).unwrap_err();
        assert!(matches!(refused, FolderError::Unusable { .. }));
        assert!(refused.to_string().contains("TONESA_DATA_DIR"));
    }
}
