//! A Redis server in memory, to which the nodes make their real connections (`server/src/broker/redis`). So a node has to
//! notice itself that a connection is lost or carries nothing, has to make a new one, and subscribes again.

mod broker;
mod connection;
mod resp;
mod server;

pub use self::broker::RedisNodeBroker;
pub use self::connection::Dialer;
pub use self::server::{ConnectionId, RedisServer};
