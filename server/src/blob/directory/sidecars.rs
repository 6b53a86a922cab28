//! The files beside the blobs: the id that the folder shares with the store, and marks of orphans.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;

use app::model::ShortId;
use tempfile::NamedTempFile;

use super::layout::{Layout, entry, name_of, names_in};
use crate::blob::BlobEntry;
use crate::fs::folder;
use crate::ids::PairingId;

const PAIRING: &str = "pairing.id";
const ORPHANS: &str = "orphans";

impl Layout {
    /// Reads the id in the folder. A file with an invalid id is an error, not a missing id.
    pub fn pairing(&self) -> io::Result<Option<PairingId>> {
        let file = self.root.join(PAIRING);
        let text = match fs::read_to_string(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // A missing folder is an error, not a missing id.
                return self.root.metadata().map(|_| None);
            }
            text => text?,
        };
        let id = text.parse().map_err(|error| {
            let problem = format!("{}: {error}", file.display());
            io::Error::new(ErrorKind::InvalidData, problem)
        })?;
        Ok(Some(id))
    }

    /// Writes the id atomically unless there is one, and returns the one that is there then.
    pub fn pair(&self, id: PairingId) -> io::Result<PairingId> {
        let mut file = NamedTempFile::new_in(&self.temporary)?;
        writeln!(file, "{id}")?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(self.root.join(PAIRING)) {
            Err(error) if error.error.kind() != ErrorKind::AlreadyExists => {
                return Err(error.error);
            }
            _ => {}
        }
        folder::sync(&self.root)?;
        self.pairing()?.ok_or(ErrorKind::NotFound.into())
    }

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
