use app::model::{Content, Kind, MediaType, ShortId, Timestamp, Upload, UploadId, UploadRef};
use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};

use super::error::Failure;
use super::row::{count_invalid, moment, optional_moment, parsed, secret_hash};
use crate::clock;
use crate::store::{Removal, Requester, SecretHash, StoreError, removable_if_expired_by};

const INSERT: &str =
    "INSERT INTO uploads (id, short_id, kind, url, media_type, size, width, height, created_at,
        expires_at, owner)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
/// Selects the columns that [`upload`] reads.
pub(super) const SELECT: &str =
    "SELECT id, short_id, kind, url, media_type, size, width, height, created_at, expires_at, deleted_at
    FROM uploads";
const IMAGE: &str = "image";

/// What entries of its log need of an upload.
#[derive(Clone, Copy)]
pub(super) struct UploadRow {
    /// A small key, by which they refer to it.
    pub key: i64,
    /// When it expires, if it does.
    pub expires_at: Option<Timestamp>,
    /// The hash of its owner's secret.
    pub owner: Option<SecretHash>,
}

/// Inserts an upload, unless one of its ids is taken.
pub(super) fn insert(
    connection: &Connection,
    upload: &Upload,
    owner: Option<SecretHash>,
) -> Result<(), Failure> {
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
        upload.expires_at.map(Timestamp::unix_millis),
        owner.as_ref().map(SecretHash::as_bytes),
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
            .query_row([id.as_bytes()], upload_and_deletion),
        UploadRef::Short(id) => connection
            .prepare_cached(&format!("{SELECT} WHERE short_id = ?1"))?
            .query_row([id.as_str()], upload_and_deletion),
    };
    let (upload, deleted_at) = found.optional()?.ok_or(StoreError::NotFound)?;
    refuse_gone(upload.expires_at, deleted_at)?;
    Ok(upload)
}

/// Returns which of these short ids no upload has that is there.
pub(super) fn unused(
    connection: &Connection,
    short_ids: Vec<ShortId>,
) -> Result<Vec<ShortId>, Failure> {
    let mut unused = Vec::new();
    for short_id in short_ids {
        match find(connection, UploadRef::Short(short_id)) {
            Ok(_) => {}
            Err(Failure::Refused(StoreError::NotFound | StoreError::Gone)) => {
                unused.push(short_id);
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(unused)
}

fn refuse_gone(
    expires_at: Option<Timestamp>,
    deleted_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let has_expired = expires_at.is_some_and(|at| at <= clock::now());
    if has_expired || deleted_at.is_some() {
        return Err(StoreError::Gone);
    }
    Ok(())
}

/// Reads the row of the upload with this id.
pub(super) fn row(connection: &Connection, id: UploadId) -> Result<UploadRow, Failure> {
    let sql = "SELECT key, expires_at, owner, deleted_at FROM uploads WHERE id = ?1";
    let read = |row: &Row<'_>| {
        let upload = UploadRow {
            key: row.get(0)?,
            expires_at: optional_moment(row, 1)?,
            owner: secret_hash(row, 2)?,
        };
        Ok((upload, optional_moment(row, 3)?))
    };
    let found = connection
        .prepare_cached(sql)?
        .query_row([id.as_bytes()], read)
        .optional()?;
    let (row, deleted_at) = found.ok_or(StoreError::NotFound)?;
    refuse_gone(row.expires_at, deleted_at)?;
    Ok(row)
}

/// Marks an upload as deleted.
pub(super) fn delete(
    connection: &Connection,
    id: UploadId,
    by: Requester,
    at: Timestamp,
) -> Result<(), Failure> {
    let UploadRow { key, owner, .. } = row(connection, id)?;
    if !by.may_delete(&[owner]) {
        return Err(StoreError::Forbidden.into());
    }
    connection
        .prepare_cached("UPDATE uploads SET deleted_at = ?2 WHERE key = ?1")?
        .execute(params![key, at.unix_millis()])?;
    Ok(())
}

/// Reads which uploads are gone, are to be removed, and are not removed yet.
pub(super) fn removals(connection: &Connection, limit: usize) -> Result<Vec<Removal>, Failure> {
    let removal = |row: &Row<'_>| {
        Ok(Removal {
            upload: UploadId::from_bytes(row.get(0)?),
            short_id: parsed(row, 1)?,
            since: moment(row, 2)?,
        })
    };
    let sql = "SELECT id, short_id, deleted_at FROM uploads
            WHERE deleted_at IS NOT NULL AND removed_at IS NULL
        UNION ALL
        SELECT id, short_id, expires_at FROM uploads
            WHERE expires_at <= ?1 AND expires_at IS NOT NULL AND removed_at IS NULL AND deleted_at IS NULL
        LIMIT ?2";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let removals = connection
        .prepare_cached(sql)?
        .query_map(params![removable_if_expired_by(), limit], removal)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(removals)
}

/// Removes entries of the log of an upload that is gone, and returns how many.
pub(super) fn remove_log(
    connection: &Connection,
    id: UploadId,
    limit: usize,
) -> Result<usize, Failure> {
    let key = key_of_gone(connection, id)?;
    let sql = "DELETE FROM entries WHERE upload = ?1
        AND seq IN (SELECT seq FROM entries WHERE upload = ?1 ORDER BY seq LIMIT ?2)";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(connection.prepare_cached(sql)?.execute([key, limit])?)
}

/// Records that nothing is left of an upload that is gone, and removes its reports.
pub(super) fn finish_removal(connection: &Connection, id: UploadId) -> Result<(), Failure> {
    let key = key_of_gone(connection, id)?;
    connection
        .prepare_cached("UPDATE uploads SET removed_at = ?2 WHERE key = ?1")?
        .execute(params![key, clock::now().unix_millis()])?;
    connection
        .prepare_cached("DELETE FROM reports WHERE upload = ?1")?
        .execute([key])?;
    Ok(())
}

fn key_of_gone(connection: &Connection, id: UploadId) -> Result<i64, Failure> {
    let sql =
        "SELECT key FROM uploads WHERE id = ?1 AND (deleted_at IS NOT NULL OR expires_at <= ?2)";
    let key = connection
        .prepare_cached(sql)?
        .query_row(params![id.as_bytes(), clock::now().unix_millis()], |row| {
            row.get(0)
        })
        .optional()?;
    key.ok_or(StoreError::NotFound.into())
}

/// Reads the short ids of the uploads that were inserted last.
pub(super) fn newest(connection: &Connection, limit: usize) -> Result<Vec<ShortId>, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let newest = connection
        .prepare_cached(
            "SELECT short_id FROM uploads WHERE deleted_at IS NULL AND coalesce(expires_at > ?2, 1)
                ORDER BY key DESC LIMIT ?1",
        )?
        .query_map([limit, clock::now().unix_millis()], |row| parsed(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(newest)
}

/// Adds up the sizes of the images that are not removed. It reads the whole table: 0.3 s for a million uploads.
pub(super) fn stored_bytes(connection: &Connection) -> Result<u64, Failure> {
    let sql = "SELECT coalesce(sum(size), 0) FROM uploads WHERE removed_at IS NULL";
    let bytes: i64 = connection
        .prepare_cached(sql)?
        .query_row([], |row| row.get(0))?;
    Ok(bytes.cast_unsigned())
}

/// Counts invalid rows among the newest uploads.
pub(super) fn count_invalid_rows(connection: &Connection, limit: u32) -> rusqlite::Result<usize> {
    let mut newest = connection.prepare(&format!("{SELECT} ORDER BY key DESC LIMIT ?1"))?;
    count_invalid(newest.query_map([limit], upload)?)
}

fn upload_and_deletion(row: &Row<'_>) -> rusqlite::Result<(Upload, Option<Timestamp>)> {
    Ok((upload(row)?, optional_moment(row, 10)?))
}

/// Reads an upload.
pub(super) fn upload(row: &Row<'_>) -> rusqlite::Result<Upload> {
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
        expires_at: optional_moment(row, 9)?,
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
