//! Tests of the socket part of protocol.md, with a whole node and real connections.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/mod.rs"]
mod common;

mod commands;
mod conformance;
mod deleting;
mod delivery;
mod forged;
mod limits;
mod outages;
mod presence;
mod slow_readers;
mod waiting_commands;
