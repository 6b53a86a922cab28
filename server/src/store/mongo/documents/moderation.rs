use app::model::{BlockedAddress, Report};
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, DateTime, Document, doc};
use serde::Deserialize;

use super::stored::{Malformed, Stored, date, moment};
use super::upload::StoredUpload;
use crate::store::{ContentHash, MAX_REPORTS};

/// The reports in the document of an upload, the oldest first.
#[derive(Debug, Deserialize)]
pub(in crate::store::mongo) struct StoredReports {
    #[serde(default)]
    reports: Vec<StoredReport>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredReport {
    reason: String,
    created_at: DateTime,
}

impl Stored for StoredReports {
    type Model = Vec<Report>;
    const COLLECTION: &'static str = StoredUpload::COLLECTION;
}

impl TryFrom<StoredReports> for Vec<Report> {
    type Error = Malformed;

    /// Returns the newest one first.
    fn try_from(stored: StoredReports) -> Result<Self, Malformed> {
        let report = |stored: StoredReport| {
            Some(Report {
                reason: stored.reason.parse().ok()?,
                created_at: moment(stored.created_at)?,
            })
        };
        // There may be one more for a moment.
        let newest = stored.reports.into_iter().rev().take(MAX_REPORTS);
        let reports = newest.map(report);
        reports.collect::<Option<_>>().ok_or(Malformed {
            collection: StoredReports::COLLECTION,
            id: None,
            field: Some("reports"),
        })
    }
}

/// Converts a report.
pub(in crate::store::mongo) fn document_of_report(report: &Report) -> Document {
    doc! { "reason": report.reason.as_str(), "createdAt": date(report.created_at) }
}

/// Converts the hash of an image.
pub(in crate::store::mongo) fn binary_of_content(content: ContentHash) -> Binary {
    Binary {
        subtype: BinarySubtype::Generic,
        bytes: content.as_bytes().to_vec(),
    }
}

/// A blocked address.
#[derive(Debug, Deserialize)]
pub(in crate::store::mongo) struct StoredBlockedAddress {
    #[serde(rename = "_id")]
    address: String,
    until: DateTime,
}

impl Stored for StoredBlockedAddress {
    type Model = BlockedAddress;
    const COLLECTION: &'static str = "blockedAddresses";
}

impl TryFrom<StoredBlockedAddress> for BlockedAddress {
    type Error = Malformed;

    fn try_from(stored: StoredBlockedAddress) -> Result<Self, Malformed> {
        let blocked = || {
            Some(Self {
                address: stored.address.parse().ok()?,
                until: moment(stored.until)?,
            })
        };
        blocked().ok_or(Malformed {
            collection: StoredBlockedAddress::COLLECTION,
            id: None,
            field: None,
        })
    }
}
