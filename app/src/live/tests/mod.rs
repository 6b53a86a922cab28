mod catching_up;
mod connection;
mod connector;
pub(super) mod fixture;
mod harness;
mod sending;
mod simulation;
mod touching;
mod world;
