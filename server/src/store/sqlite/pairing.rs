use rusqlite::{Connection, OptionalExtension};

use super::error::Failure;
use super::files::OpenedFiles;
use super::row::parsed;
use super::schema;
use crate::ids::PairingId;
use crate::store::StoreError;

/// Reads the id from the file that has the name now, by a new connection: open ones do not notice that the file was
/// moved away, and what they read says nothing about another file.
pub(super) fn read_fresh(files: &OpenedFiles) -> Result<Option<PairingId>, Failure> {
    // A replaced database is not opened at all: SQLite would combine it with this one's log.
    files.check_in_place()?;
    let found = schema::open_reader(files.database()).and_then(|connection| read(&connection))?;
    files.check_in_place()?;
    Ok(found)
}

fn read(connection: &Connection) -> rusqlite::Result<Option<PairingId>> {
    connection
        .query_row("SELECT id FROM pairing", [], |row| parsed(row, 0))
        .optional()
}

/// Gives the database this id unless it has one, and returns the one that it has then.
pub(super) fn write(connection: &Connection, id: PairingId) -> Result<PairingId, Failure> {
    connection.execute(
        "INSERT INTO pairing (only, id) VALUES (1, ?1) ON CONFLICT DO NOTHING",
        [id.to_string()],
    )?;
    read(connection)?.ok_or(StoreError::Unavailable.into())
}
