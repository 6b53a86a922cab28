//! The socket's half of protocol.md, against a whole node over real connections.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/mod.rs"]
mod common;

mod commands;
mod delivery;
mod forged;
mod limits;
mod outages;
mod slow;
mod waits;
