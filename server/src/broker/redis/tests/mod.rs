//! Tests against real servers.

mod changes;
mod cluster;
mod conformance;
mod outages;
mod proxy;
mod publishing;
mod sentinel;
mod start;
mod test_node;
