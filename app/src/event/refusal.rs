use serde::{Deserialize, Serialize};

/// Which command was not done, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Refusal {
    /// The refused command's `type`.
    pub command: CommandName,
    /// The upload as the client named it.
    #[serde(rename = "uploadID")]
    pub upload_id: String,
    /// Why, for programs.
    pub code: RefusalCode,
    /// Why, for people.
    pub detail: String,
}

/// A command's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum CommandName {
    /// `watch`
    Watch,
    /// `unwatch`
    Unwatch,
    /// `touch`
    Touch,
}

/// Why a command was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum RefusalCode {
    /// No such upload, or no such id.
    NotFound,
    /// The upload was deleted, or has expired.
    Gone,
    /// The socket watches as many uploads as it may.
    TooManyWatched,
    /// The socket does not watch that upload.
    NotWatched,
    /// A field out of bounds, as a coordinate that is not a fraction.
    InvalidField,
    /// More watches than are allowed in a second: refused once, then dropped silently until a second passes without
    /// excess.
    TooManyWatches,
    /// More touches than are allowed in a second: refused once, then dropped silently until a second passes without
    /// excess.
    TooManyTouches,
    /// A backend is unavailable; retry later.
    Unavailable,
}
