//! What nodes tell each other about the viewers of an upload.

use app::model::Person;
use serde::{Deserialize, Serialize};

use crate::broker::{DeliveryClass, Frame};

/// The number of people that are listed.
pub(super) const MAX_PEOPLE: usize = 24;

/// More sockets than a node serves.
const MAX_COUNT: u32 = 1_000_000;

/// The viewers of one upload on one node. It replaces the node's last one; a count of 0 says that nobody is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::hub) struct Digest {
    /// The node, by a random number of its process.
    pub node: u64,
    /// The number of sockets.
    pub count: u32,
    /// The first [`MAX_PEOPLE`] of those who gave a name.
    pub people: Vec<Person>,
    /// Asks the other nodes for theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hello: bool,
}

impl Digest {
    /// Parses what a node has published.
    ///
    /// # Errors
    /// The reason why no node has published it, for the log.
    pub(in crate::hub) fn parse(text: &str) -> Result<Self, &'static str> {
        let digest: Self = serde_json::from_str(text).map_err(|_| "the frame is not a digest")?;
        if digest.count > MAX_COUNT || digest.people.len() > MAX_PEOPLE {
            return Err("the digest is too large");
        }
        Ok(digest)
    }

    pub(in crate::hub) fn encode(&self) -> Frame {
        let text = serde_json::to_string(self).expect("a digest has only keys that are strings");
        Frame {
            class: DeliveryClass::Presence,
            text: text.into(),
        }
    }
}
