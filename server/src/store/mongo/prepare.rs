//! Prepares a database before it is used.

use std::time::Duration;

use rand::RngExt;
use tokio::time::{sleep, timeout};

use super::error::OpenError;
use super::inspect;
use super::schema::Database;

/// How often creating the indexes is tried: nodes that start together may conflict.
const MAX_ATTEMPTS: u32 = 5;

/// How long the server may take for its first answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// How long creating the indexes may take. Long, since a large collection without one has to be scanned.
const INDEX_TIMEOUT: Duration = Duration::from_mins(10);

/// Checks that the server answers and nothing is missing, and creates the indexes that do not exist yet.
pub(super) async fn prepare(database: &Database) -> Result<(), OpenError> {
    timeout(ANSWER_TIMEOUT, database.run_ping())
        .await
        .map_err(|_| OpenError::Unreachable)?
        .map_err(|error| OpenError::of_server(&error))?;
    inspect::refuse_missing_collection(database).await?;
    let mut attempts = 1;
    loop {
        let created = timeout(INDEX_TIMEOUT, database.create_indexes()).await;
        let Err(error) = created.map_err(|_| OpenError::Unreachable)? else {
            inspect::warn_of_invalid(database).await;
            return Ok(());
        };
        let refused = OpenError::of_server(&error);
        if attempts == MAX_ATTEMPTS || refused == OpenError::Refused {
            return Err(refused);
        }
        attempts += 1;
        let pause = rand::rng().random_range(50..500);
        sleep(Duration::from_millis(pause)).await;
    }
}
