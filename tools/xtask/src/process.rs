//! Finding programs and ending well.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

use crate::workspace::is_from_cargo_run;

/// The first of these names that is an executable file on PATH.
pub fn find_on_path(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<_> = env::split_paths(&path).collect();
    names.iter().find_map(|name| {
        folders
            .iter()
            .map(|folder| folder.join(name))
            .find(|file| is_executable(file))
    })
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file() || file.with_extension("exe").is_file() || file.with_extension("cmd").is_file()
}

/// Is this the user `root`?
pub fn is_root(shell: &Shell) -> bool {
    cmd!(shell, "id -u")
        .quiet()
        .ignore_stderr()
        .read()
        .is_ok_and(|id| id == "0")
}

/// Becomes `program`: same process, so that Ctrl-C, SIGTERM and the exit status are the program's own.
#[cfg(unix)]
pub fn become_program(program: &Path, arguments: &[OsString]) -> Result<()> {
    use std::os::unix::process::CommandExt;
    let error = command(program, arguments).exec();
    bail!("cannot start {}: {error}", program.display())
}

/// Runs `program` and passes its failure on.
#[cfg(not(unix))]
pub fn become_program(program: &Path, arguments: &[OsString]) -> Result<()> {
    let status = command(program, arguments).status()?;
    if !status.success() {
        bail!("{} ended with {status}", program.display());
    }
    Ok(())
}

fn command(program: &Path, arguments: &[OsString]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    for (name, _) in env::vars_os().filter(|(name, _)| is_from_cargo_run(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command
}
