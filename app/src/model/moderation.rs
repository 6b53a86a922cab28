use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::id::UploadId;
use super::text::ReportReason;
use super::timestamp::Timestamp;
use super::upload::Upload;

/// What somebody has reported of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Report {
    /// What they wrote.
    pub reason: ReportReason,
    /// When the node received it.
    pub created_at: Timestamp,
}

/// An upload with its reports, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ListedUpload {
    /// The upload.
    #[serde(flatten)]
    pub upload: Upload,
    /// The newest ones.
    pub reports: Vec<Report>,
}

/// A page of the list of uploads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct UploadsPage {
    /// The newest first.
    pub uploads: Vec<ListedUpload>,
    /// Where the next page begins; `null` at the end.
    pub next: Option<UploadId>,
}

/// An address that is blocked: nothing is taken from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct BlockedAddress {
    /// The address. Of IPv6 the network of 64 bits around it is meant, which usually is one client's.
    #[cfg_attr(feature = "ssr", schema(value_type = String))]
    pub address: IpAddr,
    /// Until when.
    pub until: Timestamp,
}

/// The addresses that are blocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct BlockedAddresses {
    /// First those that are blocked for longest.
    pub addresses: Vec<BlockedAddress>,
}
