//! The HTTP half of protocol.md, call by call and row by row, against a whole node over real connections.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/mod.rs"]
mod common;

mod away;
mod bombs;
mod capacity;
mod conditions;
mod connections;
mod database;
mod forms;
mod guessing;
mod handshake;
mod images;
mod kept_pages;
mod messages;
mod metrics;
mod pages;
mod policies;
mod process;
mod request_ids;
mod rules;
mod slow;
mod start;
mod stuck_log;
mod sweep;
mod too_large;
mod uploads;
