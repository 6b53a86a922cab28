//! Installs programs from the package registries into folders of the project, and finds those that the system has.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::{Cmd, Shell, cmd};

use super::apt;
use crate::workspace::Workspace;

pub fn is_on_path(program: &str) -> bool {
    which::which(program).is_ok()
}

/// Whether the program is on PATH, after installing Debian's package of it where possible.
pub fn ensure_program(shell: &Shell, program: &str, package: &str) -> Result<bool> {
    if !is_on_path(program) && apt::is_available(shell) {
        apt::install(shell, &[package])?;
    }
    Ok(is_on_path(program))
}

pub fn ensure_go(shell: &Shell) -> Result<bool> {
    ensure_program(shell, "go", "golang-go")
}

pub fn ensure_pip(shell: &Shell) -> Result<bool> {
    let has_pip = || {
        let pip = cmd!(shell, "python3 -m pip --version").quiet();
        pip.ignore_stdout().ignore_stderr().run().is_ok()
    };
    if !has_pip() && apt::is_available(shell) {
        apt::install(shell, &["python3-pip"])?;
    }
    Ok(has_pip())
}

/// A program that cargo builds: the one on PATH if it is at least as new as `version`, else this version from crates.io,
/// in `target/tools`.
pub fn ensure_cargo_program(workspace: &Workspace, name: &str, version: &str) -> Result<PathBuf> {
    if let Ok(program) = which::which(name) {
        let answer = cmd!(workspace.shell, "{program} --version").quiet();
        let numbers = parse_version(&answer.ignore_stderr().read().unwrap_or_default());
        if numbers >= parse_version(version) {
            return Ok(program);
        }
    }
    build_cargo_program(workspace, name, version)
}

/// Builds a program from crates.io, unless that version is there.
pub fn build_cargo_program(workspace: &Workspace, name: &str, version: &str) -> Result<PathBuf> {
    let folder = workspace
        .target
        .join("tools")
        .join(format!("{name}-{version}"));
    let program = folder.join("bin").join(name);
    if !program.is_file() {
        println!("xtask: building {name} into {} (minutes)", folder.display());
        let install = workspace.cargo().args(["install", "--locked", name]);
        // Optimising would take longer than it saves.
        let install = install.args(["--debug", "--version", version, "--root"]);
        let install = install.arg(&folder).env("CARGO_PROFILE_DEV_DEBUG", "false");
        install.run().with_context(|| {
            format!("building {name}; version {version} or newer on PATH does as well")
        })?;
    }
    Ok(program)
}

/// The numbers of the first version in a program's answer; none if there is none.
fn parse_version(answer: &str) -> Option<Vec<u32>> {
    let numbers = |word: &str| word.split('.').map(|number| number.parse().ok()).collect();
    answer.split_whitespace().find_map(numbers)
}

/// The major version that a program's `--version` prints after `marker`.
pub fn major_version(version: Cmd<'_>, marker: &str) -> Option<u32> {
    parse_major(&version.quiet().ignore_stderr().read().ok()?, marker)
}

fn parse_major(answer: &str, marker: &str) -> Option<u32> {
    let (_, version) = answer.split_once(marker)?;
    let digits = version.split(|ch: char| !ch.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// Runs `install` unless it was run for the same contents of these files before. The stamp is written last: an
/// interrupted installation is repeated.
pub fn once(
    folder: &Path,
    sources: &[PathBuf],
    install: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let mut contents = Vec::new();
    for file in sources {
        contents.extend(fs::read(file).with_context(|| format!("reading {}", file.display()))?);
    }
    let stamp = folder.join("installed-from");
    if fs::read(&stamp).is_ok_and(|installed| installed == contents) {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    install()?;
    Ok(fs::write(stamp, contents)?)
}

pub fn copy_into(folder: &Path, files: &[PathBuf]) -> Result<()> {
    fs::create_dir_all(folder)?;
    for file in files {
        fs::copy(
            file,
            folder.join(file.file_name().context("a file has a name")?),
        )?;
    }
    Ok(())
}

/// Installs what the lock file in the folder names.
pub fn npm_ci(shell: &Shell, folder: &Path) -> Result<()> {
    let _inside = shell.push_dir(folder);
    cmd!(shell, "npm ci --ignore-scripts")
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
        .run()
        .with_context(|| format!("npm in {}; see above for its own words", folder.display()))
}

/// Installs pinned Python packages.
pub fn pip_install(shell: &Shell, requirements: &Path, folder: &Path) -> Result<()> {
    cmd!(
        shell,
        "python3 -m pip install --quiet --root-user-action=ignore --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes --upgrade --target {folder} --requirement {requirements}"
    )
    .run()
    .context("pip failed; see above for its own words")
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn what_is_installed_is_installed_again_only_from_other_sources_or_after_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        let mut installs = 0;
        let mut run = |content: &str, fails: bool| {
            fs::write(&source, content).unwrap();
            once(folder.path(), std::slice::from_ref(&source), || {
                installs += 1;
                if fails {
                    bail!("interrupted");
                }
                Ok(())
            })
        };
        assert!(run("one", true).is_err());
        assert!(run("one", false).is_ok());
        assert!(run("one", true).is_ok());
        assert!(run("two", false).is_ok());
        assert_eq!(installs, 3);
    }

    #[test]
    fn major_versions_are_parsed() {
        let redis = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64";
        assert_eq!(parse_major(redis, " v="), Some(7));
        assert_eq!(parse_major("v20.11.1", "v"), Some(20));
        let wasm_opt = "wasm-opt version 132 (version_132)";
        assert_eq!(parse_major(wasm_opt, "version "), Some(132));
        assert_eq!(parse_major("something else", "version "), None);
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let is_enough = |answer| parse_version(answer) >= parse_version("0.9.1");
        assert!(is_enough("cargo-deny 0.9.1"));
        assert!(is_enough("geckodriver 0.20.2 (9f3 2026-01-01)\nMore 0.1.0"));
        assert!(is_enough("1.0.0"));
        assert!(!is_enough("cargo-deny 0.9.0"));
        assert!(!is_enough("no version"));
    }
}
