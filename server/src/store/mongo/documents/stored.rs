//! Conversions that all documents share.

use app::model::{MessageId, Seq, Timestamp, UploadId};
use mongodb::bson::oid::ObjectId;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, DateTime, RawDocument, deserialize_from_slice};
use serde::de::DeserializeOwned;

use crate::store::SecretHash;

/// A document that this program did not write. Describes what is wrong without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::mongo) struct Malformed {
    /// Its collection.
    pub collection: &'static str,
    /// Its id, of messages only: anyone who knows an upload's id can open the upload.
    pub id: Option<MessageId>,
    /// The invalid field; `None` when fields are missing or have wrong types.
    pub field: Option<&'static str>,
}

/// A document of a collection, and the model that it stores.
pub(in crate::store::mongo) trait Stored:
    DeserializeOwned + TryInto<Self::Model, Error = Malformed>
{
    type Model;
    const COLLECTION: &'static str;
}

/// Parses a document.
pub(in crate::store::mongo) fn read<S: Stored>(
    document: &RawDocument,
) -> Result<S::Model, Malformed> {
    // The error is dropped, since its text may quote the document.
    let stored: S = deserialize_from_slice(document.as_bytes()).map_err(|_| Malformed {
        collection: S::COLLECTION,
        id: None,
        field: None,
    })?;
    stored.try_into()
}

/// Converts an upload's id.
pub(in crate::store::mongo) fn object_id(id: UploadId) -> ObjectId {
    ObjectId::from_bytes(*id.as_bytes())
}

/// Converts a sequence number. BSON's integers are signed, so a greater cursor becomes one beyond every message.
pub(in crate::store::mongo) fn number(seq: Seq) -> i64 {
    i64::try_from(seq.get()).unwrap_or(i64::MAX)
}

/// Converts a stored sequence number.
pub(in crate::store::mongo) fn seq(number: i64) -> Option<Seq> {
    u64::try_from(number).ok().map(Seq::new)
}

/// Converts a time.
pub(in crate::store::mongo) fn date(moment: Timestamp) -> DateTime {
    DateTime::from_millis(moment.unix_millis())
}

pub(super) fn moment(date: DateTime) -> Option<Timestamp> {
    Timestamp::from_unix_millis(date.timestamp_millis())
}

/// Converts the hash of a secret.
pub(super) fn binary(hash: SecretHash) -> Binary {
    Binary {
        subtype: BinarySubtype::Generic,
        bytes: hash.as_bytes().to_vec(),
    }
}

/// Converts a stored hash of a secret.
pub(super) fn hash(binary: &Binary) -> Option<SecretHash> {
    let bytes = binary.bytes.as_slice().try_into().ok()?;
    Some(SecretHash::from_bytes(bytes))
}
