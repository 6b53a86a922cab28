//! Against real servers.

mod changes;
mod cluster;
mod kit;
mod outages;
mod proxy;
mod publishing;
mod sentinel;
mod start;
mod suite;
