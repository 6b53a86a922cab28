//! The id that the folder shares with the store.

use std::fs;
use std::io::{self, ErrorKind, Write};

use tempfile::NamedTempFile;

use super::layout::Layout;
use crate::fs::folder;
use crate::ids::PairingId;

const PAIRING: &str = "pairing.id";

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
}
