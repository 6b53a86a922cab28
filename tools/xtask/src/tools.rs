//! Programs from npm packages that package the site: `wasm-opt` (binaryen) and `esbuild`, pinned by
//! `tools/xtask/tools/package-lock.json` and installed into `target/tools`.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::{Cmd, Shell, cmd};

use crate::{process::find_on_path, workspace::Workspace};

/// Older ones do not know the WASM features that rustc uses today.
const OLDEST_WASM_OPT: u32 = 132;
const FILES: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// How to call a tool: its program and the arguments that come first.
pub struct Tool(Vec<OsString>);

impl Tool {
    fn script(path: PathBuf) -> Self {
        Self(vec!["node".into(), path.into()])
    }

    pub fn command<'a>(&self, shell: &'a Shell) -> Cmd<'a> {
        shell.cmd(&self.0[0]).args(&self.0[1..])
    }
}

pub struct Tools {
    pub wasm_opt: Tool,
    pub esbuild: Tool,
}

/// Makes sure of the tools; done at once when the lock file has not changed since.
pub fn install(workspace: &Workspace) -> Result<Tools> {
    let source = workspace.root.join("tools/xtask/tools");
    let folder = workspace.target.join("tools");
    install_packages(&workspace.shell, &source, &folder).with_context(|| {
        format!(
            "installing the packaging tools of {} with npm; see above for npm's own words",
            source.display()
        )
    })?;
    let modules = folder.join("node_modules");
    let wasm_opt = recent_wasm_opt(&workspace.shell).map_or_else(
        || Tool::script(modules.join("binaryen/bin/wasm-opt")),
        |path| Tool(vec![path.into()]),
    );
    Ok(Tools {
        wasm_opt,
        esbuild: Tool::script(modules.join("esbuild/bin/esbuild")),
    })
}

fn install_packages(shell: &Shell, source: &Path, folder: &Path) -> Result<()> {
    let lock = fs::read(source.join("package-lock.json"))?;
    let stamp = folder.join("installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    println!(
        "xtask: installing wasm-opt and esbuild into {}",
        folder.display()
    );
    fs::create_dir_all(folder)?;
    for file in FILES {
        fs::copy(source.join(file), folder.join(file))?;
    }
    let _inside = shell.push_dir(folder);
    cmd!(shell, "npm ci --ignore-scripts").run()?;
    // Written last: a set-up that was cut short is done again.
    fs::write(stamp, lock)?;
    Ok(())
}

fn recent_wasm_opt(shell: &Shell) -> Option<PathBuf> {
    let path = find_on_path(&["wasm-opt"])?;
    let answer = cmd!(shell, "{path} --version")
        .quiet()
        .ignore_stderr()
        .read()
        .ok()?;
    (wasm_opt_version(&answer)? >= OLDEST_WASM_OPT).then_some(path)
}

/// `wasm-opt version 132 (version_132)` is 132.
fn wasm_opt_version(answer: &str) -> Option<u32> {
    answer.split_whitespace().nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::wasm_opt_version;

    #[test]
    fn the_version_of_wasm_opt_is_read_from_its_answer() {
        assert_eq!(
            wasm_opt_version("wasm-opt version 132 (version_132)"),
            Some(132)
        );
        assert_eq!(wasm_opt_version("wasm-opt version 108"), Some(108));
        assert_eq!(wasm_opt_version("something else"), None);
    }
}
