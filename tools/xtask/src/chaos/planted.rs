//! `cargo xtask chaos --planted`: shows that the chaos test finds what it is for. Each defect is applied to a copy of
//! the project, built and run; the run has to fail.

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

/// What the chaos test ends with when it has found something.
const FOUND: i32 = 1;

/// Plants the defects whose names contain `wanted`, one after the other.
pub fn run(workspace: &Workspace, wanted: &str) -> Result<()> {
    setup::for_many_nodes(workspace)?;
    let mut defects = defects::all(&workspace.root)?;
    defects.retain(|defect| defect.name.contains(wanted));
    let mut missed = Vec::new();
    let mut verdicts = Vec::new();
    for defect in &defects {
        println!("xtask: planting {}: {}", defect.name, defect.breaks);
        let caught = plant(workspace, defect).with_context(|| defect.name.clone())?;
        let verdict = if caught { "caught    " } else { "NOT CAUGHT" };
        verdicts.push(format!(
            "xtask: {verdict} {:<28} {}",
            defect.name, defect.breaks
        ));
        if !caught {
            missed.push(defect.name.as_str());
        }
    }
    println!("{}", verdicts.join("\n"));
    if missed.is_empty() {
        println!("xtask: all {} planted defects were caught", defects.len());
        return Ok(());
    }
    bail!("not caught: {}", missed.join(", "))
}

/// Whether the chaos test finds the defect.
fn plant(workspace: &Workspace, defect: &Defect) -> Result<bool> {
    let folder = workspace.target.join("planted");
    let copy = Copy {
        from: &workspace.root,
        to: folder.join("source"),
    };
    copy.make(workspace)?;
    let patch = &defect.patch;
    let inside = workspace.shell.push_dir(&copy.to);
    // As files, not as what they are to the repository around them.
    cmd!(workspace.shell, "git apply {patch}")
        .env("GIT_CEILING_DIRECTORIES", &folder)
        .run()?;
    // Not where the project itself is built: cargo would take the one's programs for the other's.
    let built = Built::build(workspace, &folder.join("target"), false)?;
    drop(inside);
    let run = built.command(workspace, &folder.join("logs"));
    let run = run.args(["--seed", &defect.seed, "--minutes", &defect.minutes]);
    match Command::from(run).status()?.code() {
        Some(0) => Ok(false),
        Some(FOUND) => Ok(true),
        _ => bail!("the run could not be made"),
    }
}

/// A copy of the project in which cargo finds what has not changed as it was.
struct Copy<'a> {
    from: &'a Path,
    to: PathBuf,
}

impl Copy<'_> {
    /// Makes the copy like the project, and touches only what is not.
    fn make(&self, workspace: &Workspace) -> Result<()> {
        let shell = &workspace.shell;
        let _inside = shell.push_dir(self.from);
        let listed = cmd!(shell, "git ls-files --cached --others --exclude-standard");
        let files: BTreeSet<PathBuf> = listed.quiet().read()?.lines().map(PathBuf::from).collect();
        for file in &files {
            self.copy(file)
                .with_context(|| format!("copying {}", file.display()))?;
        }
        self.remove_all_but(&files)
    }

    fn copy(&self, file: &Path) -> Result<()> {
        let (from, to) = (self.from.join(file), self.to.join(file));
        if !from.is_file() {
            // Removed, and not committed as such yet.
            return Ok(());
        }
        let content = fs::read(&from)?;
        if fs::read(&to).is_ok_and(|there| there == content) {
            return Ok(());
        }
        fs::create_dir_all(to.parent().unwrap_or(&self.to))?;
        fs::write(to, content)?;
        Ok(())
    }

    fn remove_all_but(&self, files: &BTreeSet<PathBuf>) -> Result<()> {
        for entry in WalkDir::new(&self.to) {
            let entry = entry?;
            let is_known = files.contains(entry.path().strip_prefix(&self.to)?);
            if entry.file_type().is_file() && !is_known {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}
