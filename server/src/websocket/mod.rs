//! The `WebSocket` protocol (RFC 6455) directly on TCP connections. A node writes the same frames to thousands of
//! sockets: each frame is encoded once and handed to the kernel, without a buffer, a task wake-up or a copy per socket.

mod connection;
mod decoder;
mod encode;
mod handshake;
mod memory;

pub use connection::Connection;
pub use decoder::{DecodeError, Decoder, Incoming};
pub use encode::{PING, close, pong, text};
pub use handshake::{Handshake, HandshakeError, VERSION};
pub use memory::Peer;
