//! The invariants of docs/architecture.md that a program can check.

mod layers;
mod rules;
mod size;
mod wasm_tree;

use std::fs;

use anyhow::{Context, Result, bail};
use walkdir::WalkDir;

use crate::{defects, workspace::Workspace};
use rules::Source;

pub use size::check as check_size;

const FOLDERS: [&str; 5] = ["app", "examples", "frontend", "server", "tools"];
const LOCK_FILES: [&str; 2] = [
    "end2end/package-lock.json",
    "tools/xtask/tools/package-lock.json",
];

/// Checks sources, lock files, the browser's dependency tree and the planted defects.
pub fn check(workspace: &Workspace) -> Result<()> {
    let mut violations = Vec::new();
    let sources = sources(workspace)?;
    for source in &sources {
        violations.extend(rules::violations(source));
    }
    violations.extend(layers::violations(&sources));
    for path in LOCK_FILES {
        let text = fs::read_to_string(workspace.root.join(path))
            .with_context(|| format!("reading {path}"))?;
        violations.extend(rules::names_a_registry(&Source {
            path: path.to_owned(),
            text,
        }));
    }
    violations.extend(wasm_tree::violations(workspace)?);
    violations.extend(defects::outdated(&workspace.shell, &workspace.root)?);
    if violations.is_empty() {
        return Ok(());
    }
    bail!(
        "{} violations:\n{}",
        violations.len(),
        violations.join("\n")
    )
}

fn sources(workspace: &Workspace) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for folder in FOLDERS {
        for entry in WalkDir::new(workspace.root.join(folder)).sort_by_file_name() {
            let path = entry?.into_path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path)
                    .with_context(|| format!("reading {}", path.display()))?;
                let path = path.strip_prefix(&workspace.root)?;
                sources.push(Source {
                    path: path.to_string_lossy().into_owned(),
                    text,
                });
            }
        }
    }
    Ok(sources)
}
