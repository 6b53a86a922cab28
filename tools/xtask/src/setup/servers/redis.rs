//! `redis-server`.

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

use crate::{process::find_on_path, setup::apt};

/// The first with sharded Pub/Sub.
const OLDEST: u32 = 7;

/// Makes sure of a Redis that is new enough.
pub fn ensure(shell: &Shell) -> Result<()> {
    if find_on_path(&["redis-server"]).is_none() && apt::is_available(shell) {
        apt::install(shell, &["redis-server"])?;
    }
    let answer = cmd!(shell, "redis-server --version")
        .quiet()
        .ignore_stderr()
        .read();
    match answer.ok().as_deref().and_then(version) {
        Some(OLDEST..) => Ok(()),
        Some(older) => {
            bail!("the tests need Redis {OLDEST} or newer, and `redis-server` on PATH is {older}")
        }
        None => bail!(
            "`redis-server` {OLDEST} or newer must be on PATH: install your system's package of Redis"
        ),
    }
}

/// `Redis server v=7.0.15 sha=…` is 7.
fn version(answer: &str) -> Option<u32> {
    let (_, version) = answer.split_once(" v=")?;
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn the_version_of_redis_is_read_from_its_answer() {
        let answer = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64";
        assert_eq!(version(answer), Some(7));
        assert_eq!(version("something else"), None);
    }
}
