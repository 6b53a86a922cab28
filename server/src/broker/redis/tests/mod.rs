//! Against real servers.

mod changes;
mod kit;
mod outages;
mod proxy;
mod publishing;
mod suite;
