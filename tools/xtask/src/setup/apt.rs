//! Debian's packages, where xtask may install them: as root, and never at the cost of another package.

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::process::{find_on_path, is_root};

/// May xtask install Debian packages here?
pub fn is_available(shell: &Shell) -> bool {
    find_on_path(&["apt-get"]).is_some() && is_root(shell)
}

/// Are these packages installed?
pub fn are_installed(shell: &Shell, packages: &[&str]) -> bool {
    packages.iter().all(|package| {
        let query = shell.cmd("dpkg-query").args([
            "--show",
            "--showformat",
            "${db:Status-Status}",
            package,
        ]);
        query
            .quiet()
            .ignore_stderr()
            .read()
            .is_ok_and(|status| status == "installed")
    })
}

/// Installs packages by their names, after reading the newest lists.
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
