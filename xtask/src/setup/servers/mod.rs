//! The servers of the tests of many nodes: Redis, MongoDB, S3. What the system does not have goes into `target/tools`,
//! where the crate `testbed` looks too.

mod ferretdb;
mod redis;
mod seaweedfs;

use anyhow::Result;

use super::once;
use crate::workspace::Workspace;

/// Makes sure of all three.
pub fn ensure(workspace: &Workspace) -> Result<()> {
    redis::ensure(&workspace.shell)?;
    ferretdb::ensure(workspace)?;
    seaweedfs::ensure(workspace)
}
