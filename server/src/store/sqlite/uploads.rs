use app::model::{Content, Kind, MediaType, ShortId, Upload, UploadId, UploadRef};
use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};

use super::error::Failure;
use super::row::{count_invalid, moment, parsed};
use crate::store::StoreError;

const INSERT: &str =
    "INSERT INTO uploads (id, short_id, kind, url, media_type, size, width, height, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const SELECT: &str =
    "SELECT id, short_id, kind, url, media_type, size, width, height, created_at FROM uploads";
const IMAGE: &str = "image";

/// A small key of an upload, by which its messages refer to it.
#[derive(Clone, Copy)]
pub(super) struct UploadKey(pub i64);

/// Inserts an upload, unless one of its ids is taken.
pub(super) fn insert(connection: &Connection, upload: &Upload) -> Result<(), Failure> {
    let Kind::Image = upload.kind;
    let content = &upload.content;
    let inserted = connection.prepare_cached(INSERT)?.execute(params![
        upload.id.as_bytes(),
        upload.short_id.as_str(),
        IMAGE,
        content.url,
        content.media_type.as_str(),
        content.size.cast_signed(),
        content.width,
        content.height,
        upload.created_at.unix_millis(),
    ]);
    match inserted {
        Ok(_) => Ok(()),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            Err(StoreError::AlreadyExists.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Reads the upload with this id or short id.
pub(super) fn find(connection: &Connection, name: UploadRef) -> Result<Upload, Failure> {
    let found = match name {
        UploadRef::Id(id) => connection
            .prepare_cached(&format!("{SELECT} WHERE id = ?1"))?
            .query_row([id.as_bytes()], upload),
        UploadRef::Short(id) => connection
            .prepare_cached(&format!("{SELECT} WHERE short_id = ?1"))?
            .query_row([id.as_str()], upload),
    };
    found.optional()?.ok_or(StoreError::NotFound.into())
}

/// Reads the key of the upload with this id.
pub(super) fn key(connection: &Connection, id: UploadId) -> Result<UploadKey, Failure> {
    connection
        .prepare_cached("SELECT key FROM uploads WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| row.get(0).map(UploadKey))
        .optional()?
        .ok_or(StoreError::NotFound.into())
}

/// Reads the short ids of the uploads that were inserted last.
pub(super) fn newest(connection: &Connection, limit: usize) -> Result<Vec<ShortId>, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let newest = connection
        .prepare_cached("SELECT short_id FROM uploads ORDER BY key DESC LIMIT ?1")?
        .query_map([limit], |row| parsed(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(newest)
}

/// Counts invalid rows among the newest uploads.
pub(super) fn count_invalid_rows(connection: &Connection, limit: u32) -> rusqlite::Result<usize> {
    let mut newest = connection.prepare(&format!("{SELECT} ORDER BY key DESC LIMIT ?1"))?;
    count_invalid(newest.query_map([limit], upload)?)
}

fn upload(row: &Row<'_>) -> rusqlite::Result<Upload> {
    Ok(Upload {
        id: UploadId::from_bytes(row.get(0)?),
        short_id: parsed(row, 1)?,
        kind: kind(row, 2)?,
        content: Content {
            url: row.get(3)?,
            media_type: media_type(row, 4)?,
            size: row.get::<_, i64>(5)?.cast_unsigned(),
            width: row.get(6)?,
            height: row.get(7)?,
        },
        created_at: moment(row, 8)?,
    })
}

fn kind(row: &Row<'_>, column: usize) -> rusqlite::Result<Kind> {
    match row.get_ref(column)?.as_str()? {
        IMAGE => Ok(Kind::Image),
        other => Err(unknown(column, other)),
    }
}

fn media_type(row: &Row<'_>, column: usize) -> rusqlite::Result<MediaType> {
    let text = row.get_ref(column)?.as_str()?;
    let known = [
        MediaType::Png,
        MediaType::Jpeg,
        MediaType::Gif,
        MediaType::WebP,
    ];
    known
        .into_iter()
        .find(|known| known.as_str() == text)
        .ok_or_else(|| unknown(column, text))
}

fn unknown(column: usize, text: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, text.into())
}
