use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};
use tracing::error;

use super::error::Failure;
use super::row::parsed;
use super::schema;
use crate::ids::PairingId;
use crate::store::StoreError;

/// The database file that was opened, by which it is told from another one that was put in its place meanwhile.
#[derive(Clone)]
pub(super) struct OpenedFile {
    path: PathBuf,
    identity: Identity,
}

impl OpenedFile {
    pub fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            identity: identity(path)?,
        })
    }

    /// The id in the file that has the name now, by a connection of its own: those in use would not notice that the
    /// file was moved away, and what they read says nothing about another file.
    pub fn pairing(&self) -> Result<Option<PairingId>, Failure> {
        let found = schema::open_reader(&self.path).and_then(|connection| read(&connection))?;
        if identity(&self.path).is_ok_and(|now| now == self.identity) {
            return Ok(found);
        }
        error!(
            file = %self.path.display(),
            "the database was moved away or replaced while the node runs; put it back, or restart the node"
        );
        Err(StoreError::Unavailable.into())
    }
}

#[cfg(unix)]
type Identity = (u64, u64);

/// Device and inode.
#[cfg(unix)]
fn identity(file: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
type Identity = ();

/// An open file cannot be moved there.
#[cfg(not(unix))]
fn identity(_file: &Path) -> io::Result<Identity> {
    Ok(())
}

fn read(connection: &Connection) -> rusqlite::Result<Option<PairingId>> {
    connection
        .query_row("SELECT id FROM pairing", [], |row| parsed(row, 0))
        .optional()
}

/// Gives the database this id unless it has one; the one that it has then.
pub(super) fn write(connection: &Connection, id: PairingId) -> Result<PairingId, Failure> {
    connection.execute(
        "INSERT INTO pairing (only, id) VALUES (1, ?1) ON CONFLICT DO NOTHING",
        [id.to_string()],
    )?;
    read(connection)?.ok_or(StoreError::Unavailable.into())
}
