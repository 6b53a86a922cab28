//! A folder for temporary files of this process. The folders of processes that died are removed when the next one
//! starts.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::fs::folder::{self, FolderError, FolderLock};

/// The prefix of such folders' names; nothing else in the parent folder is touched.
const FOLDER_PREFIX: &str = "node-";

/// The subfolder for the files, beside the lock file.
const FILES_FOLDER: &str = "files";

/// Locked while folders are created and removed, so that a new folder is not removed before it is locked.
const STARTUP_LOCK_FILE: &str = "gate.lock";

/// The folder, which is removed when this is dropped.
#[derive(Debug)]
pub struct ScratchFolder {
    files: PathBuf,
    _folder: TempDir,
    // Dropped after the folder is removed.
    _lock: FolderLock,
}

impl ScratchFolder {
    /// Creates a folder in `parent`, which many processes may share, and removes those of processes that died. Blocks;
    /// meant for the start of a node.
    ///
    /// # Errors
    /// When the parent cannot be written to.
    pub fn create(parent: &Path) -> Result<Self, FolderError> {
        let unusable = |source| FolderError::Unusable {
            folder: parent.to_owned(),
            source,
        };
        folder::create(parent).map_err(unusable)?;
        let startup_lock = File::create(parent.join(STARTUP_LOCK_FILE)).map_err(unusable)?;
        startup_lock.lock().map_err(unusable)?;
        remove_dead(parent).map_err(unusable)?;
        let created = tempfile::Builder::new()
            .prefix(FOLDER_PREFIX)
            .tempdir_in(parent);
        let folder = created.map_err(unusable)?;
        let lock = FolderLock::acquire(folder.path())?;
        let files = folder.path().join(FILES_FOLDER);
        folder::create(&files).map_err(unusable)?;
        Ok(Self {
            files,
            _folder: folder,
            _lock: lock,
        })
    }

    /// The folder to put files in. It contains nothing else.
    pub fn path(&self) -> &Path {
        &self.files
    }
}

/// Removes the folders that no process has locked.
fn remove_dead(parent: &Path) -> io::Result<()> {
    for folder in folders(parent)? {
        let Ok(_lock) = FolderLock::acquire(&folder) else {
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
        let is_scratch = entry
            .file_name()
            .to_string_lossy()
            .starts_with(FOLDER_PREFIX);
        if is_scratch && entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_share_a_parent_folder_and_leave_nothing_in_it() {
        let parent = tempfile::tempdir().unwrap();
        let parent = parent.path().join("made/on/the/way");
        let one = ScratchFolder::create(&parent).unwrap();
        fs::write(one.path().join("upload"), "bytes").unwrap();
        let other = ScratchFolder::create(&parent).unwrap();
        assert_ne!(one.path(), other.path());
        assert!(one.path().join("upload").exists());
        drop((one, other));
        assert!(folders(&parent).unwrap().is_empty());
    }

    #[test]
    fn folders_of_dead_processes_are_removed_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let dead = parent.path().join("node-dead");
        let foreign = parent.path().join("images");
        for folder in [&dead, &foreign] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("upload"), "bytes").unwrap();
        }
        let _own = ScratchFolder::create(parent.path()).unwrap();
        assert!(!dead.exists());
        assert!(foreign.join("upload").exists());
    }

    #[test]
    fn a_parent_that_is_a_file_is_refused_naming_the_setting() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let refused = ScratchFolder::create(file.path()).unwrap_err();
        assert!(refused.to_string().contains("TONESA_DATA_DIR"));
    }
}
