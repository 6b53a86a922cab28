//! Bun's built-in publish: `tools/bench/peers/bun`.

use anyhow::Result;

use super::{Ground, Instance, System, Wants, plain_speech};

pub struct Bun;

impl System for Bun {
    fn name(&self) -> &'static str {
        "bun"
    }

    fn title(&self) -> &'static str {
        "Bun"
    }

    fn start(&self, ground: &Ground, _: Wants<'_>) -> Result<Instance> {
        let program = ground.installed("bun/bun")?;
        let script = ground.installed("bun/server.js")?;
        let arguments = |port: u16| vec![script.display().to_string(), port.to_string()];
        Instance::start(ground, self.title(), program, arguments, plain_speech())
    }
}
