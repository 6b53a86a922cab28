//! Socket.IO: `tools/bench/peers/socketio`.

use anyhow::{Context, Result};

use super::{Ground, Instance, Speech, System, UPLOAD, Wants, touched};
use crate::load::{Script, Step};
use crate::ws;

pub struct SocketIo;

impl System for SocketIo {
    fn name(&self) -> &'static str {
        "socketio"
    }

    fn title(&self) -> &'static str {
        "Socket.IO"
    }

    fn start(&self, ground: &Ground, wants: Wants<'_>) -> Result<Instance> {
        let program = super::on_path("node").context("Node is not installed")?;
        let server = ground.installed("socketio/server.mjs")?;
        let arguments = |port: u16| {
            let mut arguments = vec![server.display().to_string(), port.to_string()];
            arguments.extend(wants.redis.map(str::to_owned));
            arguments
        };
        Instance::start(ground, self.title(), program, arguments, speech())
    }
}

/// Engine.IO's and Socket.IO's packets as they stand in text frames: `0{…}` opens, `40` connects, `42[…]` is an event.
fn speech() -> Speech {
    Speech {
        script: Box::new(|room| Script {
            request: ws::request("/socket.io/?EIO=4&transport=websocket", None),
            steps: vec![
                step("0{", "40".to_owned()),
                step("40{", format!(r#"42["join","r{room}"]"#)),
            ],
            ready: r#"42["ready"]"#,
        }),
        event: Box::new(|room, stamp| {
            format!(r#"42["touch","r{room}",{}]"#, touched(UPLOAD, stamp))
        }),
        post: None,
    }
}

fn step(after: &'static str, send: String) -> Step {
    Step { after, send }
}
