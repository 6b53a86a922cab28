//! What stands in the database: the article's names where it has them, and ours beside them. Times are BSON dates,
//! which are milliseconds since 1970 in UTC; ids are `ObjectId`s of 96 random bits.

mod message;
mod stored;
mod upload;

pub(super) use self::message::StoredMessage;
pub(super) use self::stored::{Malformed, Stored, date, number, object_id, read, seq};
pub(super) use self::upload::StoredUpload;
