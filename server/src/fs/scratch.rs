//! A folder for files on their way elsewhere, of this process alone. What a dead process has left in its own is
//! removed by the next one that starts.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::fs::folder::{self, FolderClaim, FolderError};

/// What the names of such folders start with; nothing else in the parent is touched.
const PREFIX: &str = "node-";

/// The folder of the files in such a folder, beside the mark of who claims it.
const FILES: &str = "files";

/// Held while folders are made and removed, so that none is taken for a dead one before it is claimed.
const GATE: &str = "gate.lock";

/// The folder; removed when this is dropped.
#[derive(Debug)]
pub struct ScratchFolder {
    files: PathBuf,
    _folder: TempDir,
    // Given up when the folder is gone.
    _claim: FolderClaim,
}

impl ScratchFolder {
    /// Makes a folder in `parent`, which many processes may share, and removes those of dead ones. It blocks: it is
    /// for the start of a node.
    ///
    /// # Errors
    /// When the parent cannot be written to.
    pub fn make(parent: &Path) -> Result<Self, FolderError> {
        let unusable = |source| FolderError::Unusable {
            folder: parent.to_owned(),
            source,
        };
        folder::create(parent).map_err(unusable)?;
        let gate = File::create(parent.join(GATE)).map_err(unusable)?;
        gate.lock().map_err(unusable)?;
        remove_dead(parent).map_err(unusable)?;
        let made = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent);
        let folder = made.map_err(unusable)?;
        let claim = FolderClaim::take(folder.path())?;
        let files = folder.path().join(FILES);
        folder::create(&files).map_err(unusable)?;
        Ok(Self {
            files,
            _folder: folder,
            _claim: claim,
        })
    }

    /// Where the files go. Nothing else is there.
    pub fn path(&self) -> &Path {
        &self.files
    }
}

/// Removes the folders that no process claims.
fn remove_dead(parent: &Path) -> io::Result<()> {
    for folder in folders(parent)? {
        let Ok(_claim) = FolderClaim::take(&folder) else {
            continue;
        };
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn folders(parent: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if is_ours && entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_share_a_parent_and_leave_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let parent = parent.path().join("made/on/the/way");
        let one = ScratchFolder::make(&parent).unwrap();
        fs::write(one.path().join("upload"), "bytes").unwrap();
        let other = ScratchFolder::make(&parent).unwrap();
        assert_ne!(one.path(), other.path());
        assert!(one.path().join("upload").exists());
        drop((one, other));
        assert!(folders(&parent).unwrap().is_empty());
    }

    #[test]
    fn what_a_dead_process_left_is_removed_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let dead = parent.path().join("node-dead");
        let foreign = parent.path().join("images");
        for folder in [&dead, &foreign] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("upload"), "bytes").unwrap();
        }
        let _own = ScratchFolder::make(parent.path()).unwrap();
        assert!(!dead.exists());
        assert!(foreign.join("upload").exists());
    }

    #[test]
    fn a_parent_that_is_a_file_is_refused_with_a_way_out() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let refused = ScratchFolder::make(file.path()).unwrap_err();
        assert!(refused.to_string().contains("TONESA_DATA_DIR"));
    }
}
