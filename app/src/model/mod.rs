//! The data model: uploads and their messages. Every value is valid: each type is checked when it is constructed, also
//! from JSON, and the error says what is allowed.

mod id;
mod message;
mod point;
mod tab;
mod text;
mod timestamp;
mod upload;

pub use id::{ClientMessageId, IdError, MessageId, ShortId, UploadId, UploadRef};
pub use message::{Message, MessagePage, NewMessage, Seq};
pub use point::{NotAFraction, Point, TouchPoint};
pub use tab::{TabId, TabTag};
pub use text::{AuthorName, MAX_AUTHOR_CHARS, MAX_MESSAGE_CHARS, MessageText, TextError};
pub use timestamp::{Timestamp, TimestampError};
pub use upload::{Content, Kind, MediaType, Upload, UploadPage};
