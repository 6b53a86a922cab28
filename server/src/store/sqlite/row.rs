use std::error::Error;
use std::str::FromStr;

use app::model::{Point, Timestamp};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{ErrorCode, Row};

use crate::store::SecretHash;

/// Reads a text column as a validated type.
pub(super) fn parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    parse(row.get_ref(column)?.as_str()?, column)
}

/// Reads a text column as a validated type; `None` if it is NULL.
pub(super) fn optional<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    let text = row.get_ref(column)?.as_str_or_null()?;
    text.map(|text| parse(text, column)).transpose()
}

fn parse<T>(text: &str, column: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

/// Reads two columns as a point; `None` if both are NULL.
pub(super) fn point(row: &Row<'_>, x: usize, y: usize) -> rusqlite::Result<Option<Point>> {
    let Some(at_x) = row.get(x)? else {
        return match row.get_ref(y)? {
            ValueRef::Null => Ok(None),
            _ => Err(rusqlite::Error::InvalidColumnType(
                x,
                "at_x".into(),
                Type::Null,
            )),
        };
    };
    let point = Point::new(at_x, row.get(y)?);
    point
        .map(Some)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(x, Type::Real, Box::new(error)))
}

/// Reads a column of milliseconds since 1970.
pub(super) fn moment(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let millis = row.get(column)?;
    Timestamp::from_unix_millis(millis)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(column, millis))
}

/// Reads a column of milliseconds since 1970; `None` if it is NULL.
pub(super) fn optional_moment(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        _ => moment(row, column).map(Some),
    }
}

/// Reads a column with the hash of a secret; `None` if it is NULL.
pub(super) fn secret_hash(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<SecretHash>> {
    Ok(row.get::<_, Option<_>>(column)?.map(SecretHash::from_bytes))
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
