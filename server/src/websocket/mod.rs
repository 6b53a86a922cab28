//! Sockets (RFC 6455) on the bare connection. A node writes the same frames to thousands of sockets: they are encoded
//! once and handed to the kernel as they are, without a buffer, a task's wake-up or a copy for each socket.

mod connection;
mod decoder;
mod encode;
mod handshake;

pub use connection::Connection;
pub use decoder::{DecodeError, Decoder, Incoming};
pub use encode::{PING, close, pong, text};
pub use handshake::{Handshake, NoHandshake, VERSION};
