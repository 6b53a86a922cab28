//! The planted defects: patches in `tools/chaos/defects`, each with a sentence of what it breaks, and the seed and the minutes
//! of a run that shows it, before the patch itself.

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
    /// What is broken.
    pub breaks: String,
    /// Of a run that shows it.
    pub seed: String,
    /// … and how long faults happen in it.
    pub minutes: String,
    /// The patch.
    pub patch: PathBuf,
}

impl Defect {
    fn read(patch: PathBuf) -> Result<Self> {
        let text = fs::read_to_string(&patch)?;
        let head = Head::of(&text).with_context(|| {
            let patch = patch.display();
            format!("{patch} does not begin with a sentence, `Seed: …` and `Minutes: …`")
        })?;
        let name = patch.file_stem().unwrap_or_default();
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            breaks: head.breaks.to_owned(),
            seed: head.seed.to_owned(),
            minutes: head.minutes.to_owned(),
            patch,
        })
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Head<'a> {
    breaks: &'a str,
    seed: &'a str,
    minutes: &'a str,
}

impl<'a> Head<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let head = text.split_once("\ndiff ")?.0;
        let field = |name| head.lines().find_map(|line| line.strip_prefix(name));
        Some(Self {
            breaks: head.lines().next().filter(|line| !line.is_empty())?,
            seed: field("Seed: ")?,
            minutes: field("Minutes: ")?,
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
    patches.into_iter().map(Defect::read).collect()
}

/// Those that no longer fit the code.
pub fn outdated(shell: &Shell, root: &Path) -> Result<Vec<String>> {
    let _inside = shell.push_dir(root);
    let outdated = all(root)?.into_iter().filter_map(|defect| {
        let patch = &defect.patch;
        let fits = cmd!(shell, "git apply --check {patch}").quiet();
        let error = fits.ignore_stderr().run().err()?;
        Some(format!(
            "{FOLDER}/{}.patch does not fit the code any more; plant the defect anew ({error})",
            defect.name
        ))
    });
    Ok(outdated.collect())
}

#[cfg(test)]
mod tests {
    use super::Head;

    #[test]
    fn a_patch_begins_with_what_it_breaks_and_how_that_shows() {
        let text = "Breaks it.\n\nSeed: 7\nMinutes: 0.5\n\ndiff --git a/x b/x\n--- a/x\n";
        let head = Head {
            breaks: "Breaks it.",
            seed: "7",
            minutes: "0.5",
        };
        assert_eq!(Head::of(text), Some(head));
        for text in [
            "diff --git a/x b/x\n",
            "Breaks it.\nSeed: 7\ndiff --git a/x b/x\n",
        ] {
            assert_eq!(Head::of(text), None);
        }
    }
}
