use serde::{Deserialize, Serialize};

use super::tag::AuthorTag;
use super::text::AuthorName;

/// What a viewer of an upload says about itself. JSON: `{"author":"ldkulx5sv2","name":"Ada"}`, either of which may be
/// absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Viewer {
    /// The tag of its messages on this upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<AuthorTag>,
    /// Its alias.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<AuthorName>,
}

/// A viewer with a name. Others see it as it says: nothing is checked. JSON: `{"author":"ldkulx5sv2","name":"Ada"}`,
/// where `author` may be absent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Person {
    /// The tag of its messages on this upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<AuthorTag>,
    /// Its alias.
    pub name: AuthorName,
}
