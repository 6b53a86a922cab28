//! The floor: [`crate::servers::floor`], started from this same program.

use anyhow::Result;

use super::{Ground, Instance, System, Wants, plain_speech};

pub struct Floor;

impl System for Floor {
    fn name(&self) -> &'static str {
        "floor"
    }

    fn title(&self) -> &'static str {
        "bare program"
    }

    fn start(&self, ground: &Ground, wants: Wants<'_>) -> Result<Instance> {
        let program = std::env::current_exe()?;
        let arguments = |port: u16| {
            let mut arguments = vec!["floor".to_owned(), port.to_string()];
            arguments.extend(wants.together.then(|| "--together".to_owned()));
            arguments
        };
        Instance::start(ground, self.title(), program, arguments, plain_speech())
    }
}
