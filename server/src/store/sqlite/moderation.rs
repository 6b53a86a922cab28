use std::net::IpAddr;

use app::model::{BlockedAddress, ListedUpload, Report, Timestamp, Upload, UploadId};
use rusqlite::{Connection, OptionalExtension, params};

use super::error::Failure;
use super::row::{moment, parsed};
use super::uploads;
use crate::clock;
use crate::store::{ContentHash, MAX_BLOCKED_ADDRESSES, MAX_REPORTS, StoreError, UploadFilter};

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

/// Removes the reports of an upload.
pub(super) fn dismiss_reports(connection: &Connection, upload: UploadId) -> Result<(), Failure> {
    let key = uploads::row(connection, upload)?.key;
    connection
        .prepare_cached("DELETE FROM reports WHERE upload = ?1")?
        .execute([key])?;
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
pub(super) fn reports(connection: &Connection, upload: UploadId) -> Result<Vec<Report>, Failure> {
    let key = uploads::row(connection, upload)?.key;
    let sql = "SELECT reason, created_at FROM reports WHERE upload = ?1 ORDER BY key DESC";
    let reports = connection
        .prepare_cached(sql)?
        .query_map([key], |row| {
            Ok(Report {
                reason: parsed(row, 0)?,
                created_at: moment(row, 1)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(reports)
}

/// Records that an image is refused.
pub(super) fn block_image(connection: &Connection, content: ContentHash) -> Result<(), Failure> {
    connection
        .prepare_cached("INSERT INTO blocked_images (content) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([content.as_bytes()])?;
    Ok(())
}

/// Returns whether an image is refused.
pub(super) fn is_image_blocked(
    connection: &Connection,
    content: ContentHash,
) -> Result<bool, Failure> {
    let found = connection
        .prepare_cached("SELECT 1 FROM blocked_images WHERE content = ?1")?
        .query_row([content.as_bytes()], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// Records until when an address is blocked, and removes what is over.
pub(super) fn block_address(
    connection: &Connection,
    address: IpAddr,
    until: Option<Timestamp>,
) -> Result<(), Failure> {
    let address = address.to_string();
    let sql = "DELETE FROM blocked_addresses WHERE address = ?1 OR until <= ?2";
    connection
        .prepare_cached(sql)?
        .execute(params![address, clock::now().unix_millis()])?;
    if let Some(until) = until {
        connection
            .prepare_cached("INSERT INTO blocked_addresses (address, until) VALUES (?1, ?2)")?
            .execute(params![address, until.unix_millis()])?;
    }
    Ok(())
}

/// Reads the addresses that are blocked now.
pub(super) fn blocked_addresses(connection: &Connection) -> Result<Vec<BlockedAddress>, Failure> {
    let sql = "SELECT address, until FROM blocked_addresses WHERE until > ?1
        ORDER BY until DESC, address LIMIT ?2";
    let limit = i64::try_from(MAX_BLOCKED_ADDRESSES).unwrap_or(i64::MAX);
    let blocked = connection
        .prepare_cached(sql)?
        .query_map([clock::now().unix_millis(), limit], |row| {
            Ok(BlockedAddress {
                address: parsed(row, 0)?,
                until: moment(row, 1)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(blocked)
}
