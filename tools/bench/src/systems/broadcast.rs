//! A chat of axum and tokio's broadcast channel: [`crate::servers::broadcast`], started from this same program.

use anyhow::Result;

use super::{Ground, Instance, System, Wants, plain_speech};

pub struct Broadcast;

impl System for Broadcast {
    fn name(&self) -> &'static str {
        "broadcast"
    }

    fn title(&self) -> &'static str {
        "axum + broadcast"
    }

    fn start(&self, ground: &Ground, _: Wants<'_>) -> Result<Instance> {
        let program = std::env::current_exe()?;
        let arguments = |port: u16| vec!["broadcast".to_owned(), port.to_string()];
        Instance::start(ground, self.title(), program, arguments, plain_speech())
    }
}
