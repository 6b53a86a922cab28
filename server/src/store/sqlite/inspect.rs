//! What is wrong with a database shows at the start, in a sentence, and not when somebody asks for what is not there.

use std::path::Path;

use rusqlite::Connection;
use tracing::warn;

use super::error::OpenError;
use super::{messages, uploads};

/// The largest database that is read through for damage at the start, which takes about half a second. Of a larger one
/// only a sample is read.
const MAX_CHECKED_BYTES: u64 = 64 << 20;

/// How many of the newest uploads, and of the messages, are read at the start.
const SAMPLE: u32 = 200;

/// Refuses a database that is damaged or lacks something that is in the `complete` one, and warns of rows that cannot be read.
pub(super) fn inspect(
    connection: &Connection,
    file: &Path,
    complete: &Connection,
) -> Result<(), OpenError> {
    let unusable = |error| OpenError::unusable(file, error);
    if let Some(missing) = missing(connection, complete).map_err(unusable)? {
        return Err(OpenError::unusable(file, format!("{missing} is missing")));
    }
    check(connection, file)?;
    for (table, unreadable) in [
        ("uploads", uploads::unreadable(connection, SAMPLE)),
        ("messages", messages::unreadable(connection, SAMPLE)),
    ] {
        match unreadable.map_err(unusable)? {
            0 => {}
            rows => warn!(
                file = %file.display(),
                table,
                rows,
                looked_at = SAMPLE,
                "rows of the database cannot be read, and asking for them is answered with 503; restore it from a backup"
            ),
        }
    }
    Ok(())
}

/// The first table, column or index that this program makes and that is not there.
fn missing(connection: &Connection, complete: &Connection) -> rusqlite::Result<Option<String>> {
    let there = names(connection)?;
    let expected = names(complete)?;
    Ok(expected.into_iter().find(|name| !there.contains(name)))
}

/// Tables, columns and indexes in this order, as a person would name them.
fn names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "
        SELECT 'its table ' || name FROM sqlite_schema WHERE type = 'table'
        UNION ALL SELECT 'the column ' || c.name || ' of its table ' || t.name
            FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table'
        UNION ALL SELECT 'its index ' || name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL";
    connection
        .prepare(sql)?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Looks for damage, in a database that is not too large for that.
fn check(connection: &Connection, file: &Path) -> Result<(), OpenError> {
    let unusable = |error| OpenError::unusable(file, error);
    let bytes = file.metadata().map_or(0, |metadata| metadata.len());
    if bytes > MAX_CHECKED_BYTES {
        return Ok(());
    }
    let finding: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(unusable)?;
    if finding == "ok" {
        Ok(())
    } else {
        Err(OpenError::unusable(file, finding))
    }
}
