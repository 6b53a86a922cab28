use std::error::Error;
use std::str::FromStr;

use app::model::Timestamp;
use rusqlite::types::Type;
use rusqlite::{ErrorCode, Row};

/// A text column as a type that is checked when it is made.
pub(super) fn parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

/// A column of milliseconds since 1970.
pub(super) fn moment(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let millis = row.get(column)?;
    Timestamp::from_unix_millis(millis)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(column, millis))
}

/// How many rows hold something that this program did not write. Damage to the file itself is an error.
pub(super) fn count_unreadable<T>(
    rows: impl Iterator<Item = rusqlite::Result<T>>,
) -> rusqlite::Result<usize> {
    let mut unreadable = 0;
    for row in rows {
        match row {
            Ok(_) => {}
            Err(error) if is_damage(&error) => return Err(error),
            Err(_) => unreadable += 1,
        }
    }
    Ok(unreadable)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SystemIoFailure)
    )
}
