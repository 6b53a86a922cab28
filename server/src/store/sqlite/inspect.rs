//! Checks the database at the start, so that damage is found then and not when a request needs the data.

use std::path::Path;

use rusqlite::Connection;
use tracing::warn;

use super::error::OpenError;
use super::{log, uploads};

/// The largest database that is checked completely at the start, which takes about half a second. Of a larger one only
/// a sample is read.
const MAX_CHECKED_BYTES: u64 = 64 << 20;

/// How many of the newest uploads, and of the entries of logs, are read.
const SAMPLE_SIZE: u32 = 200;

/// Refuses a database that is damaged or lacks something that `complete` has, and warns of invalid rows.
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
    for (table, invalid) in [
        (
            "uploads",
            uploads::count_invalid_rows(connection, SAMPLE_SIZE),
        ),
        ("entries", log::count_invalid_rows(connection, SAMPLE_SIZE)),
    ] {
        match invalid.map_err(unusable)? {
            0 => {}
            rows => warn!(
                file = %file.display(),
                table,
                rows,
                checked = SAMPLE_SIZE,
                "rows of the database are invalid and requests for them are answered with 503; restore it from a backup"
            ),
        }
    }
    Ok(())
}

/// Returns the first table, column or index of `complete` that is missing.
fn missing(connection: &Connection, complete: &Connection) -> rusqlite::Result<Option<String>> {
    let existing = names(connection)?;
    let expected = names(complete)?;
    Ok(expected.into_iter().find(|name| !existing.contains(name)))
}

/// Lists tables, columns and indexes in this order, as error messages name them.
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

/// Checks the file for damage, unless it is too large.
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
