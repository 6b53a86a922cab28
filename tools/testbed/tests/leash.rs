//! Nothing outlives the process that started it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// The program `testbed`, holding a Redis.
struct Holder {
    process: Child,
    redis: Pid,
    port: u16,
    folder: PathBuf,
}

impl Holder {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_testbed"))
            .arg("redis")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let variables: serde_json::Value = serde_json::from_str(&line).unwrap();
        let (_, port) = variables["REDIS_URL"]
            .as_str()
            .unwrap()
            .rsplit_once(':')
            .unwrap();
        let redis = child_of(process.id(), "redis-server");
        let folder = fs::read_link(format!("/proc/{redis}/cwd")).unwrap();
        Self {
            process,
            redis: Pid::from_raw(redis).unwrap(),
            port: port.parse().unwrap(),
            folder,
        }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn redis_is_there(&self) -> bool {
        TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], self.port))).is_ok()
    }

    fn wait_until_nothing_is_left(&self) {
        let start = Instant::now();
        while self.redis_is_there() || self.folder.exists() {
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "Redis outlives its holder"
            );
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn child_of(parent: u32, name: &str) -> i32 {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
    children
        .split_whitespace()
        .find(|id| {
            fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|found| found.trim() == name)
        })
        .and_then(|id| id.parse().ok())
        .unwrap()
}

#[test]
fn a_server_and_its_folder_are_gone_when_its_holder_is_killed() {
    let mut holder = Holder::start();
    assert!(holder.redis_is_there());
    holder.kill();
    holder.wait_until_nothing_is_left();
}

#[test]
fn a_frozen_server_is_gone_when_its_holder_is_killed() {
    let mut holder = Holder::start();
    kill_process(holder.redis, Signal::STOP).unwrap();
    holder.kill();
    holder.wait_until_nothing_is_left();
}

#[test]
fn a_server_is_gone_when_its_holder_is_told_to_end() {
    let mut holder = Holder::start();
    drop(holder.process.stdin.take());
    assert!(holder.process.wait().unwrap().success());
    holder.wait_until_nothing_is_left();
}
