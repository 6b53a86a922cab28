//! Derived pictures: a folder for each blob that has some.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use app::model::ShortId;
use tempfile::TempPath;

use super::layout::{Layout, list_in, path_in};
use crate::blob::{BlobEntry, Derived};

const DERIVED: &str = "derived";

impl Layout {
    /// Moves the file to its place. Its content is synced before its name is visible; the name is not, since a power
    /// failure that loses it loses nothing that cannot be made again.
    pub fn store_derived(&self, key: ShortId, derived: Derived, file: TempPath) -> io::Result<()> {
        let folder = self.derived_of(key);
        File::open(&file)?.sync_all()?;
        fs::create_dir_all(&folder)?;
        let stored = file.persist(folder.join(derived.versioned_name()));
        stored.map_err(|error| error.error)
    }

    /// Opens a derived picture, and returns its size.
    pub fn open_derived(&self, key: ShortId, derived: Derived) -> io::Result<(File, u64)> {
        let file = File::open(self.derived_of(key).join(derived.versioned_name()))?;
        let size = file.metadata()?.len();
        Ok((file, size))
    }

    /// Removes all derived pictures of a blob.
    pub fn delete_derived(&self, key: ShortId) -> io::Result<()> {
        match fs::remove_dir_all(self.derived_of(key)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Returns the first `limit` keys after `after` that have derived pictures.
    pub fn list_derived(&self, after: Option<ShortId>, limit: usize) -> io::Result<Vec<BlobEntry>> {
        match list_in(&self.root.join(DERIVED), after, limit) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            listed => listed,
        }
    }

    fn derived_of(&self, key: ShortId) -> PathBuf {
        path_in(&self.root.join(DERIVED), key)
    }
}
