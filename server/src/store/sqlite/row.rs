use std::error::Error;
use std::str::FromStr;

use app::model::Timestamp;
use rusqlite::types::Type;
use rusqlite::{ErrorCode, Row};

/// Reads a text column as a validated type.
pub(super) fn parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

/// Reads a column of milliseconds since 1970.
pub(super) fn moment(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let millis = row.get(column)?;
    Timestamp::from_unix_millis(millis)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(column, millis))
}

/// Counts rows that this program did not write. Damage to the file itself is an error.
pub(super) fn count_invalid<T>(
    rows: impl Iterator<Item = rusqlite::Result<T>>,
) -> rusqlite::Result<usize> {
    let mut invalid = 0;
    for row in rows {
        match row {
            Ok(_) => {}
            Err(error) if is_damage(&error) => return Err(error),
            Err(_) => invalid += 1,
        }
    }
    Ok(invalid)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SystemIoFailure)
    )
}
