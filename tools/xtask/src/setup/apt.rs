//! Debian's packages: installed only as root, and never at the cost of another package.

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use super::install::is_on_path;

pub fn is_available(shell: &Shell) -> bool {
    let user = cmd!(shell, "id -u").quiet().ignore_stderr().read();
    is_on_path("apt-get") && user.is_ok_and(|id| id == "0")
}

pub fn are_installed(shell: &Shell, packages: &[&str]) -> bool {
    packages.iter().all(|package| {
        let format = "--showformat=${db:Status-Status}";
        let query = cmd!(shell, "dpkg-query --show {format} {package}").quiet();
        let status = query.ignore_stderr().read();
        status.is_ok_and(|status| status == "installed")
    })
}

/// Installs packages, after reading the newest lists.
pub fn install(shell: &Shell, packages: &[&str]) -> Result<()> {
    println!("xtask: installing {} with apt-get", packages.join(", "));
    let _quietly = shell.push_env("DEBIAN_FRONTEND", "noninteractive");
    cmd!(shell, "apt-get update --quiet=2").run()?;
    cmd!(
        shell,
        "apt-get install --yes --quiet=2 --option Dpkg::Use-Pty=0 --no-install-recommends --no-remove {packages...}"
    )
    .run()
    .with_context(|| format!("apt-get could not install {}", packages.join(" ")))
}
