//! The marks of orphans: an empty file for each.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use app::model::ShortId;

use super::layout::{Layout, entry, name_of, names_in};
use crate::blob::BlobEntry;
use crate::fs::folder;

const ORPHANS: &str = "orphans";

impl Layout {
    /// Marks a blob. The mark is not synced: if a power failure loses it, it is made again.
    pub fn mark(&self, key: ShortId) -> io::Result<()> {
        folder::create(&self.root.join(ORPHANS))?;
        match File::create_new(self.mark_of(key)) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes a mark.
    pub fn unmark(&self, key: ShortId) -> io::Result<()> {
        match fs::remove_file(self.mark_of(key)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Returns the first `limit` marks after `after`, in the order of their keys.
    pub fn marks(&self, after: Option<ShortId>, limit: usize) -> io::Result<Vec<BlobEntry>> {
        let after = after.map(name_of).unwrap_or_default();
        let names = match names_in(&self.root.join(ORPHANS), 16, &after) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            names => names?,
        };
        let mut found = Vec::new();
        for (name, path) in names {
            if found.len() == limit {
                break;
            }
            if name > after {
                found.extend(entry(&name, &path)?);
            }
        }
        Ok(found)
    }

    fn mark_of(&self, key: ShortId) -> PathBuf {
        self.root.join(ORPHANS).join(name_of(key))
    }
}
