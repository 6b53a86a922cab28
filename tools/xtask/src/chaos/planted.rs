//! `cargo xtask chaos --planted`: each defect is applied to a copy of the project, which is built and run; the chaos test
//! has to find it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use walkdir::WalkDir;
use xshell::cmd;

use super::{Built, defects, defects::Defect};
use crate::{setup, workspace::Workspace};

/// The exit status of a chaos test that has found something.
const FOUND: i32 = 1;

/// Plants the defects whose names contain `wanted`, one after the other.
pub fn run(workspace: &Workspace, wanted: &str) -> Result<()> {
    setup::for_many_nodes(workspace)?;
    let mut defects = defects::all(&workspace.root)?;
    defects.retain(|defect| defect.name.contains(wanted));
    let (mut missed, mut verdicts) = (Vec::new(), Vec::new());
    for defect in &defects {
        let Defect { name, breaks, .. } = defect;
        println!("xtask: planting {name}: {breaks}");
        let is_found = plant(workspace, defect).with_context(|| name.clone())?;
        let verdict = if is_found { "found    " } else { "NOT FOUND" };
        verdicts.push(format!("xtask: {verdict} {name:<28} {breaks}"));
        if !is_found {
            missed.push(name.as_str());
        }
    }
    println!("{}", verdicts.join("\n"));
    if !missed.is_empty() {
        bail!("not found: {}", missed.join(", "));
    }
    println!("xtask: all {} planted defects were found", defects.len());
    Ok(())
}

/// Whether the chaos test finds the defect.
fn plant(workspace: &Workspace, defect: &Defect) -> Result<bool> {
    let folder = workspace.target.join("planted");
    let copy = folder.join("source");
    mirror(workspace, &copy)?;
    let patch = &defect.patch;
    let inside = workspace.shell.push_dir(&copy);
    // The folder may be ignored by the repository around it.
    cmd!(workspace.shell, "git apply {patch}")
        .env("GIT_CEILING_DIRECTORIES", &folder)
        .run()?;
    // A target folder of its own: cargo would take one's programs for the other's.
    let built = Built::build(workspace, &folder.join("target"), false)?;
    drop(inside);
    let run = built.command(workspace, &folder.join("logs"));
    let run = run.args(["--seed", &defect.seed, "--minutes", &defect.minutes]);
    match Command::from(run).status()?.code() {
        Some(0) => Ok(false),
        Some(FOUND) => Ok(true),
        _ => bail!("the run itself failed"),
    }
}

/// Makes the copy equal to the project. Writes only what differs, so that cargo compiles only that.
fn mirror(workspace: &Workspace, copy: &Path) -> Result<()> {
    let shell = &workspace.shell;
    let listed = cmd!(shell, "git ls-files --cached --others --exclude-standard").quiet();
    let files: BTreeSet<PathBuf> = listed.read()?.lines().map(PathBuf::from).collect();
    for file in &files {
        let (from, to) = (workspace.root.join(file), copy.join(file));
        // Removed files are listed until that is committed.
        if from.is_file() {
            copy_changed(&from, &to).with_context(|| format!("copying {}", file.display()))?;
        }
    }
    for entry in WalkDir::new(copy) {
        let entry = entry?;
        let is_known = files.contains(entry.path().strip_prefix(copy)?);
        if entry.file_type().is_file() && !is_known {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn copy_changed(from: &Path, to: &Path) -> Result<()> {
    let content = fs::read(from)?;
    if fs::read(to).is_ok_and(|there| there == content) {
        return Ok(());
    }
    fs::create_dir_all(to.parent().context("a file is in a folder")?)?;
    Ok(fs::write(to, content)?)
}
