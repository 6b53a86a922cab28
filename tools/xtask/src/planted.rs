//! Planted defects: each is applied to a copy of the project, which is built and run; the run has to find it.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, bail};
use xshell::{Cmd, cmd};

use crate::{defects::Defect, workspace::Workspace};

/// The exit status of a test that has found something.
const FOUND: i32 = 1;

/// Plants these defects, one after the other. `build` builds what is in the working folder, with this target folder, and
/// returns the command of the test.
pub fn run<'a>(
    workspace: &'a Workspace,
    defects: &[Defect],
    build: impl Fn(&Defect, &Path) -> Result<Cmd<'a>>,
) -> Result<()> {
    let (mut missed, mut verdicts) = (Vec::new(), Vec::new());
    for defect in defects {
        let Defect { name, breaks, .. } = defect;
        println!("xtask: planting {name}: {breaks}");
        let is_found = plant(workspace, defect, &build).with_context(|| name.clone())?;
        let verdict = if is_found { "found    " } else { "NOT FOUND" };
        verdicts.push(format!("xtask: {verdict} {name:<32} {breaks}"));
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

fn plant<'a>(
    workspace: &'a Workspace,
    defect: &Defect,
    build: impl Fn(&Defect, &Path) -> Result<Cmd<'a>>,
) -> Result<bool> {
    let folder = workspace.target.join("planted");
    let copy = folder.join("source");
    mirror(workspace, &folder, &copy)?;
    let patch = &defect.patch;
    let inside = workspace.shell.push_dir(&copy);
    // The folder may be ignored by the repository around it.
    cmd!(workspace.shell, "git apply {patch}")
        .env("GIT_CEILING_DIRECTORIES", &folder)
        .run()?;
    // A target folder of its own: cargo would take one's programs for the other's.
    let test = build(defect, &folder.join("target"))?;
    drop(inside);
    let mut test = Command::from(test);
    match test.current_dir(&workspace.root).status()?.code() {
        Some(0) => Ok(false),
        Some(FOUND) => Ok(true),
        _ => bail!("the run itself failed"),
    }
}

/// Makes the copy equal to the project, uncommitted changes included. Git writes only what differs, so that cargo
/// compiles only that; it gets index files of its own, so that the project's stays as it is.
fn mirror(workspace: &Workspace, folder: &Path, copy: &Path) -> Result<()> {
    let shell = &workspace.shell;
    shell.create_dir(copy)?;
    let index = folder.join("project.index");
    let add = cmd!(shell, "git add --all").env("GIT_INDEX_FILE", &index);
    add.quiet().run()?;
    let write = cmd!(shell, "git write-tree").env("GIT_INDEX_FILE", &index);
    let tree = write.quiet().read()?;
    for command in [
        cmd!(shell, "git read-tree --reset -u {tree}"),
        cmd!(shell, "git clean --force -d --quiet"),
    ] {
        command
            .env("GIT_INDEX_FILE", folder.join("copy.index"))
            .env("GIT_WORK_TREE", copy)
            .run()?;
    }
    Ok(())
}
