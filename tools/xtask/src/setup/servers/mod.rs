//! The servers of the tests of many nodes: Redis, MongoDB, S3. What the system does not have goes into `target/tools`,
//! where the crate `testbed` looks too.

mod ferretdb;
mod redis;
mod seaweedfs;

use std::{fs, path::Path};

use anyhow::Result;

use crate::workspace::Workspace;

/// Makes sure of all three.
pub fn ensure(workspace: &Workspace) -> Result<()> {
    redis::ensure(&workspace.shell)?;
    ferretdb::ensure(workspace)?;
    seaweedfs::ensure(workspace)
}

/// Runs `install` unless it was run for these sources, by their contents, before. The stamp is written last: a set-up
/// that was cut short is done again.
pub(super) fn once(
    folder: &Path,
    sources: &[u8],
    install: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let stamp = folder.join("installed-from");
    if fs::read(&stamp).is_ok_and(|installed| installed == sources) {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    install()?;
    Ok(fs::write(stamp, sources)?)
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::once;

    #[test]
    fn what_was_installed_is_installed_again_only_from_other_sources_or_after_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let mut installs = 0;
        let mut run = |sources: &str, fails: bool| {
            once(folder.path(), sources.as_bytes(), || {
                installs += 1;
                if fails {
                    bail!("cut short");
                }
                Ok(())
            })
        };
        assert!(run("one", true).is_err());
        assert!(run("one", false).is_ok());
        assert!(run("one", true).is_ok());
        assert!(run("two", false).is_ok());
        assert_eq!(installs, 3);
    }
}
