//! Planted defects: patches in `tools/chaos/defects` and `tools/simulation/defects`. Before the diff stand a sentence of
//! what it breaks, and fields such as the seed of a run that shows it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

/// Those that only real servers show, which the chaos test has to find,
pub const CHAOS: &str = "tools/chaos/defects";
/// and those that the simulation has to find.
pub const SIMULATION: &str = "tools/simulation/defects";

/// A planted defect.
#[derive(Debug, PartialEq, Eq)]
pub struct Defect {
    /// The patch's file name without its end.
    pub name: String,
    pub breaks: String,
    pub patch: PathBuf,
    /// What stands before the diff.
    head: String,
}

impl Defect {
    fn parse(patch: PathBuf, text: &str) -> Option<Self> {
        let head = text.split_once("\ndiff ")?.0;
        let breaks = head.lines().next().filter(|line| !line.is_empty())?;
        Some(Self {
            name: patch.file_stem()?.to_string_lossy().into_owned(),
            breaks: breaks.to_owned(),
            patch,
            head: head.to_owned(),
        })
    }

    /// The value of a field before the diff. An error means that there is none.
    pub fn field(&self, name: &str) -> Result<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        let field = fields.find(|field| field.0 == name);
        let field = field.with_context(|| format!("it needs `{name}: …`"))?;
        Ok(field.1)
    }
}

/// Those of a folder whose names contain `wanted`, by name.
pub fn named(root: &Path, folder: &str, wanted: &str) -> Result<Vec<Defect>> {
    let mut defects = all(root, folder)?;
    defects.retain(|defect| defect.name.contains(wanted));
    Ok(defects)
}

/// All of a folder, by name.
fn all(root: &Path, folder: &str) -> Result<Vec<Defect>> {
    let mut patches = Vec::new();
    for entry in fs::read_dir(root.join(folder)).with_context(|| format!("reading {folder}"))? {
        patches.push(entry?.path());
    }
    patches.sort();
    let defects = patches.into_iter().map(|patch| {
        let text = fs::read_to_string(&patch)?;
        let name = patch.display().to_string();
        Defect::parse(patch, &text)
            .with_context(|| format!("{name} does not begin with a sentence and an empty line"))
    });
    defects.collect()
}

/// Those that no longer fit the code.
pub fn outdated(shell: &Shell, root: &Path) -> Result<Vec<String>> {
    let _inside = shell.push_dir(root);
    let mut outdated = Vec::new();
    for folder in [CHAOS, SIMULATION] {
        for Defect { name, patch, .. } in all(root, folder)? {
            let fits = cmd!(shell, "git apply --check {patch}").quiet();
            if let Err(error) = fits.ignore_stderr().run() {
                outdated.push(format!(
                    "{folder}/{name}.patch does not fit the code any more ({error})"
                ));
            }
        }
    }
    Ok(outdated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_begins_with_what_it_breaks_and_how_that_shows() {
        let parse = |text| Defect::parse("x/broken.patch".into(), text);
        let text = "Breaks it.\n\nSeed: 7\nMinutes: 0.5\n\ndiff --git a/x b/x\n--- a/x\n";
        let defect = parse(text).unwrap();
        assert_eq!((&*defect.name, &*defect.breaks), ("broken", "Breaks it."));
        assert_eq!(defect.field("Seed").unwrap(), "7");
        assert_eq!(defect.field("Minutes").unwrap(), "0.5");
        assert!(defect.field("Seeds").is_err());
        assert_eq!(parse("diff --git a/x b/x\n"), None);
    }
}
