//! The documents in the database. Times are BSON dates, milliseconds since 1970 in UTC; ids are `ObjectId`s of 96
//! random bits.

mod message;
mod stored;
mod upload;

pub(super) use self::message::StoredMessage;
pub(super) use self::stored::{Malformed, Stored, date, number, object_id, read, seq};
pub(super) use self::upload::StoredUpload;
