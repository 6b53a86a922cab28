//! Ends a process when its holder dies.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};

/// A script that waits for the end of a pipe: the kernel closes it when this process dies, in whatever way, and the
/// script then kills the held process, frozen or not, and removes what it leaves.
pub(super) struct Leash(Child);

impl Leash {
    /// Holds `process`, which leaves these files and folders.
    pub(super) fn hold(process: u32, left: &[PathBuf]) -> Result<Self> {
        Command::new("sh")
            .args(["-c", include_str!("../../leash.sh"), "leash"])
            .arg(process.to_string())
            .arg("0")
            .args(left)
            .stdin(Stdio::piped())
            // Not ours: whoever reads our output to its end should not have to wait for this script.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(Self)
            .context("starting the script that ends servers when their tests die")
    }
}

impl Drop for Leash {
    /// Lets go. Killed before its pipe closes, the script does nothing: the process is gone already, and its number may
    /// be another's.
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
