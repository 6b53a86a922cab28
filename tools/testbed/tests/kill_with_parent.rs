//! No server outlives the process that started it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};

/// The program `testbed` with a Redis.
struct Parent {
    process: Child,
    redis: Pid,
    address: String,
    folder: PathBuf,
}

impl Parent {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_testbed"))
            .arg("redis")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = process.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let variables: serde_json::Value = serde_json::from_str(&line).unwrap();
        let url = variables["REDIS_URL"].as_str().unwrap();
        let redis = child_of(process.id(), "redis-server");
        Self {
            process,
            redis: Pid::from_raw(redis),
            address: url.trim_start_matches("redis://").to_owned(),
            folder: fs::read_link(format!("/proc/{redis}/cwd")).unwrap(),
        }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn wait_until_nothing_is_left(&self) {
        let start = Instant::now();
        while TcpStream::connect(&self.address).is_ok() || self.folder.exists() {
            let elapsed = start.elapsed();
            assert!(
                elapsed < Duration::from_secs(10),
                "Redis outlives its parent"
            );
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn child_of(parent: u32, name: &str) -> i32 {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
    let has_name = |id: &&str| {
        fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|found| found.trim() == name)
    };
    let child = children.split_whitespace().find(has_name).unwrap();
    child.parse().unwrap()
}

#[test]
fn a_server_and_its_folder_are_gone_when_its_parent_is_killed() {
    let mut parent = Parent::start();
    assert!(TcpStream::connect(&parent.address).is_ok());
    parent.kill();
    parent.wait_until_nothing_is_left();
}

#[test]
fn a_frozen_server_is_gone_when_its_parent_is_killed() {
    let mut parent = Parent::start();
    signal::kill(parent.redis, Signal::SIGSTOP).unwrap();
    parent.kill();
    parent.wait_until_nothing_is_left();
}

#[test]
fn a_server_is_gone_when_the_input_of_its_parent_closes() {
    let mut parent = Parent::start();
    drop(parent.process.stdin.take());
    assert!(parent.process.wait().unwrap().success());
    parent.wait_until_nothing_is_left();
}
