//! The data model: uploads and their messages. Every value is valid: each type is checked when it is constructed, also
//! from JSON, and the error says what is allowed.

mod author;
mod id;
mod log;
mod message;
mod moderation;
mod point;
mod seq;
mod stroke;
mod tab;
mod tag;
mod text;
mod timestamp;
mod upload;
mod viewer;

pub use author::AuthorSecret;
pub use id::{ClientMessageId, IdError, MessageId, ShortId, UploadId, UploadRef};
pub use log::{Cursor, Deletion, LogEntry, LogPage};
pub use message::{DeletedMessage, Message, NewMessage};
pub use moderation::{BlockedAddress, BlockedAddresses, ListedUpload, Report, UploadsPage};
pub use point::{NotAFraction, Point, TouchPoint};
pub use seq::Seq;
pub use stroke::StrokeId;
pub use tab::TabId;
pub use tag::{AuthorTag, TabTag};
pub use text::{
    AuthorName, MAX_AUTHOR_CHARS, MAX_MESSAGE_CHARS, MAX_REASON_CHARS, MessageText, ReportReason,
    TextError,
};
pub use timestamp::{Timestamp, TimestampError};
pub use upload::{Content, Kind, MediaType, UPLOADED_COOKIE, Upload, UploadPage, fitted_size};
pub use viewer::{Person, Viewer};
