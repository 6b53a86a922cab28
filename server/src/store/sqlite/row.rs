use std::error::Error;
use std::str::FromStr;

use app::model::Timestamp;
use rusqlite::Row;
use rusqlite::types::Type;

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
