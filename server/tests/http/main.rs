//! Tests of the HTTP half of protocol.md, with a whole node over real connections.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/mod.rs"]
mod common;

mod admin_command;
mod admin_pages;
mod api_description;
mod authors_and_places;
mod bombs;
mod capacity;
mod conditions;
mod connections;
mod contact;
mod cors;
mod database;
mod deleting;
mod forms;
mod framing;
mod guessing;
mod handshake;
mod images;
mod languages;
mod log_reader;
mod messages;
mod metrics;
mod moderation;
mod networks;
mod observatory;
mod oembed;
mod outage;
mod page_cache;
mod pages;
mod picture_limits;
mod placeholders;
mod policies;
mod process;
mod programs;
mod qr_code;
mod request_ids;
mod rules;
mod share_target;
mod slow;
mod smaller_pictures;
mod start;
mod storage;
mod sweep;
mod too_large;
mod uploads;
