//! What systems are compared with and this program has itself; the servers are processes of their own, by hidden commands.

pub mod bare;
pub mod broadcast;
pub mod decode;
