//! Node and npm: they run the packaging tools and Playwright.

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

use super::apt;
use crate::process::find_on_path;

/// What esbuild and Playwright ask for.
const OLDEST_NODE: u32 = 18;

/// Makes sure of a Node that is new enough, and of npm.
pub fn ensure(shell: &Shell) -> Result<()> {
    if is_ready(shell) {
        return Ok(());
    }
    if apt::is_available(shell) {
        let missing: Vec<_> = [("node", "nodejs"), ("npm", "npm")]
            .into_iter()
            .filter(|(program, _)| find_on_path(&[program]).is_none())
            .map(|(_, package)| package)
            .collect();
        if !missing.is_empty() {
            apt::install(shell, &missing)?;
        }
    }
    if !is_ready(shell) {
        bail!(
            "Node {OLDEST_NODE} or newer and npm must be on PATH: install them from https://nodejs.org or your system"
        );
    }
    Ok(())
}

fn is_ready(shell: &Shell) -> bool {
    let version = cmd!(shell, "node --version")
        .quiet()
        .ignore_stderr()
        .read()
        .unwrap_or_default();
    major(&version).is_some_and(|major| major >= OLDEST_NODE)
        && find_on_path(&["npm", "npm.cmd"]).is_some()
}

/// `v20.11.1` is 20.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_major_version_of_node_is_read_from_its_answer() {
        assert_eq!(major("v20.11.1"), Some(20));
        assert_eq!(major(""), None);
    }
}
