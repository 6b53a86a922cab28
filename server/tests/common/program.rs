//! Runs the real program as a process, and measures the memory of it and its children.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::site;

pub const MIB: u64 = 1024 * 1024;

pub fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tonesa"));
    program.env_clear();
    program
}

/// A running program, which is killed when this is dropped.
pub struct Program {
    child: Child,
    pub address: SocketAddr,
    log: std::thread::JoinHandle<String>,
    /// What it logged before it served.
    pub start_log: String,
    pub folder: TempDir,
}

impl Program {
    pub fn start(variables: &[(&str, &str)]) -> Self {
        Self::run(program(), variables)
    }

    pub fn run(mut command: Command, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = command
            .env("PORT", "0")
            .env("TONESA_DATA_DIR", folder.path().join("data"))
            .env("TONESA_SITE_DIR", site(folder.path()))
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut start_log = String::new();
        let address = lines
            .find_map(|line| {
                let line = line.unwrap();
                start_log.push_str(&line);
                start_log.push('\n');
                let event: Value = serde_json::from_str(&line).unwrap();
                event["address"].as_str()?.parse().ok()
            })
            .expect("the program logs its address");
        let log =
            std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>().join("\n"));
        Self {
            child,
            address,
            log,
            start_log,
            folder,
        }
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Makes writes fail as on a full disk, by a limit on the size of files.
    #[cfg(target_os = "linux")]
    pub fn fill_disk(&self) {
        let pid = i32::try_from(self.child.id()).unwrap();
        rlimit::prlimit(pid, rlimit::Resource::FSIZE, Some((0, 0)), None).unwrap();
    }

    /// Waits for the end, and returns the exit code and what was logged after the start.
    pub fn ended(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let log = std::mem::replace(&mut self.log, std::thread::spawn(String::new));
        (code, log.join().unwrap())
    }

    /// Returns the most memory that it ever used, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM:"))
            .unwrap();
        let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib * 1024
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Samples how much private memory the children of a process use together.
pub struct MemorySampler {
    max: Arc<AtomicU64>,
    is_ended: Arc<AtomicBool>,
    sampling: std::thread::JoinHandle<()>,
}

impl MemorySampler {
    pub fn start(parent: u32) -> Self {
        let (max, is_ended) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (sampled, ended) = (Arc::clone(&max), Arc::clone(&is_ended));
        let sampling = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                let all = children(parent).iter().map(|pid| own_memory(pid)).sum();
                sampled.fetch_max(all, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        Self {
            max,
            is_ended,
            sampling,
        }
    }

    /// Returns the most bytes that were measured.
    pub fn end(self) -> u64 {
        self.is_ended.store(true, Ordering::Relaxed);
        self.sampling.join().unwrap();
        self.max.load(Ordering::Relaxed)
    }
}

/// Lists the children of all threads of a process.
fn children(parent: u32) -> Vec<String> {
    let Ok(threads) = fs::read_dir(format!("/proc/{parent}/task")) else {
        return Vec::new();
    };
    threads
        .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok())
        .flat_map(|pids| {
            pids.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn own_memory(pid: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0_u64) * 1024
}
