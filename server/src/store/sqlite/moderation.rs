use app::model::{Upload, UploadId};
use rusqlite::{Connection, OptionalExtension, params};

use super::error::Failure;
use super::row::{moment, parsed};
use super::uploads;
use crate::clock;
use crate::store::{ContentHash, ListedUpload, MAX_REPORTS, Report, StoreError, UploadFilter};

/// Adds a report to an upload, and removes the oldest one if there are too many.
pub(super) fn add_report(
    connection: &Connection,
    upload: UploadId,
    report: &Report,
) -> Result<(), Failure> {
    let key = uploads::row(connection, upload)?.key;
    let created_at = report.created_at.unix_millis();
    connection
        .prepare_cached("INSERT INTO reports (upload, reason, created_at) VALUES (?1, ?2, ?3)")?
        .execute(params![key, report.reason.as_str(), created_at])?;
    let sql = "DELETE FROM reports WHERE upload = ?1
        AND key NOT IN (SELECT key FROM reports WHERE upload = ?1 ORDER BY key DESC LIMIT ?2)";
    let kept = i64::try_from(MAX_REPORTS).unwrap_or(i64::MAX);
    connection.prepare_cached(sql)?.execute([key, kept])?;
    Ok(())
}

/// Reads uploads with their reports, those that were inserted last first.
pub(super) fn list(
    connection: &Connection,
    filter: UploadFilter,
    before: Option<UploadId>,
    limit: usize,
) -> Result<Vec<ListedUpload>, Failure> {
    let before = match before {
        None => i64::MAX,
        Some(id) => connection
            .prepare_cached("SELECT key FROM uploads WHERE id = ?1")?
            .query_row([id.as_bytes()], |row| row.get(0))
            .optional()?
            .ok_or(StoreError::NotFound)?,
    };
    let reported = match filter {
        UploadFilter::All => "",
        UploadFilter::Reported => "AND key IN (SELECT upload FROM reports)",
    };
    let sql = format!(
        "{} WHERE key < ?1 AND deleted_at IS NULL AND coalesce(expires_at > ?2, 1) {reported}
            ORDER BY key DESC LIMIT ?3",
        uploads::SELECT
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let uploads: Vec<Upload> = connection
        .prepare_cached(&sql)?
        .query_map(
            params![before, clock::now().unix_millis(), limit],
            uploads::upload,
        )?
        .collect::<rusqlite::Result<_>>()?;
    let with_reports = |upload: Upload| {
        let reports = reports(connection, upload.id)?;
        Ok(ListedUpload { upload, reports })
    };
    uploads.into_iter().map(with_reports).collect()
}

/// Reads the reports of an upload, the newest first.
fn reports(connection: &Connection, upload: UploadId) -> rusqlite::Result<Vec<Report>> {
    let sql = "SELECT reason, created_at FROM reports
        WHERE upload = (SELECT key FROM uploads WHERE id = ?1) ORDER BY key DESC";
    connection
        .prepare_cached(sql)?
        .query_map([upload.as_bytes()], |row| {
            Ok(Report {
                reason: parsed(row, 0)?,
                created_at: moment(row, 1)?,
            })
        })?
        .collect()
}

/// Records that an image is refused.
pub(super) fn block(connection: &Connection, content: ContentHash) -> Result<(), Failure> {
    connection
        .prepare_cached("INSERT INTO blocked (content) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([content.as_bytes()])?;
    Ok(())
}

/// Returns whether an image is refused.
pub(super) fn is_blocked(connection: &Connection, content: ContentHash) -> Result<bool, Failure> {
    let found = connection
        .prepare_cached("SELECT 1 FROM blocked WHERE content = ?1")?
        .query_row([content.as_bytes()], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}
