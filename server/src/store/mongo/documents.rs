//! The documents in the database. Times are BSON dates, milliseconds since 1970 in UTC; ids are `ObjectId`s of 96
//! random bits; hashes of secrets are binary.

mod deletion;
mod entry;
mod moderation;
mod stored;
mod upload;

pub(super) use self::deletion::{PendingDeletion, StoredDeletion};
pub(super) use self::entry::{
    KnownEntry, MessageState, StoredEntry, StoredKnownEntry, StoredMessageState,
    client_id_of_deletion,
};
pub(super) use self::moderation::{
    StoredBlockedAddress, StoredReports, binary_of_content, document_of_report,
};
pub(super) use self::stored::{Malformed, Stored, date, number, object_id, read, seq};
pub(super) use self::upload::{
    StoredRemoval, StoredSum, StoredUpload, StoredUploadState, UploadState,
};
