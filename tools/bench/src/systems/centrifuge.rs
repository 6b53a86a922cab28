//! Centrifuge: `tools/bench/peers/centrifuge`.

use anyhow::Result;

use super::{Ground, Instance, Speech, System, UPLOAD, Wants, touched};
use crate::load::{Script, Step};
use crate::ws;

pub struct Centrifuge;

impl System for Centrifuge {
    fn name(&self) -> &'static str {
        "centrifuge"
    }

    fn title(&self) -> &'static str {
        "Centrifuge"
    }

    fn start(&self, ground: &Ground, wants: Wants<'_>) -> Result<Instance> {
        let program = ground.installed("centrifuge/centrifuge")?;
        let arguments = |port: u16| {
            let redis = wants.redis.map(str::to_owned);
            [port.to_string()].into_iter().chain(redis).collect()
        };
        Instance::start(ground, self.title(), program, arguments, speech())
    }
}

fn speech() -> Speech {
    Speech {
        script: Box::new(|room| Script {
            request: ws::request("/", None),
            steps: vec![
                step("", r#"{"id":1,"connect":{}}"#.to_owned()),
                step(
                    r#""id":1"#,
                    format!(r#"{{"id":2,"subscribe":{{"channel":"r{room}"}}}}"#),
                ),
            ],
            ready: r#""id":2"#,
        }),
        event: Box::new(|room, stamp| {
            let data = touched(UPLOAD, stamp);
            format!(r#"{{"id":3,"publish":{{"channel":"r{room}","data":{data}}}}}"#)
        }),
        post: None,
    }
}

fn step(after: &'static str, send: String) -> Step {
    Step { after, send }
}
