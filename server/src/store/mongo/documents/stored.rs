//! What all documents have in common.

use app::model::{MessageId, Seq, Timestamp, UploadId};
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, RawDocument, deserialize_from_slice};
use serde::de::DeserializeOwned;

/// A document that is not what this program writes: what is wrong with it, without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::mongo) struct Malformed {
    /// Which collection it is in.
    pub collection: &'static str,
    /// Its id; of a message only, since whoever knows an upload's id can open it.
    pub id: Option<MessageId>,
    /// The field that holds something wrong; none when fields are missing or of wrong types.
    pub field: Option<&'static str>,
}

/// Something that stands in a collection.
pub(in crate::store::mongo) trait Stored:
    DeserializeOwned + TryInto<Self::Model, Error = Malformed>
{
    type Model;
    const COLLECTION: &'static str;
}

/// Reads a document.
pub(in crate::store::mongo) fn read<S: Stored>(
    document: &RawDocument,
) -> Result<S::Model, Malformed> {
    // The error's text may quote the document.
    let stored: S = deserialize_from_slice(document.as_bytes()).map_err(|_| Malformed {
        collection: S::COLLECTION,
        id: None,
        field: None,
    })?;
    stored.try_into()
}

/// An upload's id as it is stored.
pub(in crate::store::mongo) fn object_id(id: UploadId) -> ObjectId {
    ObjectId::from_bytes(*id.as_bytes())
}

/// A sequence number as it is stored. BSON's integers are signed: a cursor beyond them is beyond every message.
pub(in crate::store::mongo) fn number(seq: Seq) -> i64 {
    i64::try_from(seq.get()).unwrap_or(i64::MAX)
}

/// A stored sequence number.
pub(in crate::store::mongo) fn seq(number: i64) -> Option<Seq> {
    u64::try_from(number).ok().map(Seq::new)
}

/// A moment as it is stored.
pub(in crate::store::mongo) fn date(moment: Timestamp) -> DateTime {
    DateTime::from_millis(moment.unix_millis())
}

pub(super) fn moment(date: DateTime) -> Option<Timestamp> {
    Timestamp::from_unix_millis(date.timestamp_millis())
}
