//! The planted defects: patches in `tools/chaos/defects`. Before the diff stand a sentence of what it breaks, and the
//! seed and the minutes of a run that shows it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

const FOLDER: &str = "tools/chaos/defects";

/// A defect that the chaos test has to find.
#[derive(Debug, PartialEq, Eq)]
pub struct Defect {
    /// The patch's file name without its end.
    pub name: String,
    pub breaks: String,
    pub seed: String,
    pub minutes: String,
    pub patch: PathBuf,
}

impl Defect {
    fn parse(patch: PathBuf, text: &str) -> Option<Self> {
        let head = text.split_once("\ndiff ")?.0;
        let field = |name| head.lines().find_map(|line| line.strip_prefix(name));
        let breaks = head.lines().next().filter(|line| !line.is_empty())?;
        Some(Self {
            name: patch.file_stem()?.to_string_lossy().into_owned(),
            breaks: breaks.to_owned(),
            seed: field("Seed: ")?.to_owned(),
            minutes: field("Minutes: ")?.to_owned(),
            patch,
        })
    }
}

/// All of them, by name.
pub fn all(root: &Path) -> Result<Vec<Defect>> {
    let mut patches = Vec::new();
    for entry in fs::read_dir(root.join(FOLDER)).with_context(|| format!("reading {FOLDER}"))? {
        patches.push(entry?.path());
    }
    patches.sort();
    let defects = patches.into_iter().map(|patch| {
        let text = fs::read_to_string(&patch)?;
        let name = patch.display().to_string();
        Defect::parse(patch, &text).with_context(|| {
            format!("{name} does not begin with a sentence, `Seed: …` and `Minutes: …`")
        })
    });
    defects.collect()
}

/// Those that no longer fit the code.
pub fn outdated(shell: &Shell, root: &Path) -> Result<Vec<String>> {
    let _inside = shell.push_dir(root);
    let outdated = all(root)?
        .into_iter()
        .filter_map(|Defect { name, patch, .. }| {
            let fits = cmd!(shell, "git apply --check {patch}").quiet();
            let error = fits.ignore_stderr().run().err()?;
            Some(format!(
                "{FOLDER}/{name}.patch does not fit the code any more ({error})"
            ))
        });
    Ok(outdated.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_begins_with_what_it_breaks_and_how_that_shows() {
        let parse = |text| Defect::parse("x/broken.patch".into(), text);
        let defect = Defect {
            name: "broken".into(),
            breaks: "Breaks it.".into(),
            seed: "7".into(),
            minutes: "0.5".into(),
            patch: "x/broken.patch".into(),
        };
        let text = "Breaks it.\n\nSeed: 7\nMinutes: 0.5\n\ndiff --git a/x b/x\n--- a/x\n";
        assert_eq!(parse(text), Some(defect));
        assert_eq!(parse("diff --git a/x b/x\n"), None);
        assert_eq!(parse("Breaks it.\nSeed: 7\ndiff --git a/x b/x\n"), None);
    }
}
