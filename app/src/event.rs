//! The messages of the WebSocket protocol: text frames, each one JSON object `{"type":…,"data":{…}}` (protocol.md,
//! "Socket").

mod client_command;
mod parse;
mod refusal;
mod server_event;

pub use client_command::ClientCommand;
pub use parse::CommandError;
pub use refusal::{CommandName, Refusal, RefusalCode};
pub use server_event::ServerEvent;

/// The WebSocket subprotocol of these messages.
pub const SUBPROTOCOL: &str = "tonesa.v1";
/// The largest frame that a client may send, in bytes; a larger one closes the socket with 1009.
pub const MAX_COMMAND_BYTES: usize = 4 * 1024;
/// How many uploads one socket may watch.
pub const MAX_WATCHED_UPLOADS: usize = 32;
