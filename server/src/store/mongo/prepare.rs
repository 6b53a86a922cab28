//! Prepares a database before it is used.

use std::time::Duration;

use mongodb::error::Error;
use rand::RngExt;
use tokio::time::{sleep, timeout};

use super::error::OpenError;
use super::inspect;
use super::schema::{Database, VERSION};

/// How often creating the indexes is tried: nodes that start together may conflict.
const MAX_ATTEMPTS: u32 = 5;

/// How long the server may take for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// How long creating the indexes may take. Long, since a large collection without one has to be scanned.
const INDEX_TIMEOUT: Duration = Duration::from_mins(10);

/// Checks that the server answers, the schema is known and nothing is missing; then creates the indexes that do not
/// exist yet and raises the version of the schema.
pub(super) async fn prepare(database: &Database) -> Result<(), OpenError> {
    answer(database.run_ping()).await?;
    refuse_newer(database).await?;
    inspect::refuse_missing_collection(database).await?;
    create_indexes(database).await?;
    answer(database.raise_version()).await?;
    // Another node may have raised it further meanwhile.
    refuse_newer(database).await?;
    inspect::warn_of_invalid(database).await;
    Ok(())
}

async fn refuse_newer(database: &Database) -> Result<(), OpenError> {
    match answer(database.version()).await? {
        ..=VERSION => Ok(()),
        found => Err(OpenError::Newer {
            found,
            known: VERSION,
        }),
    }
}

async fn create_indexes(database: &Database) -> Result<(), OpenError> {
    let mut attempts = 1;
    loop {
        let created = timeout(INDEX_TIMEOUT, database.create_indexes()).await;
        let Err(error) = created.map_err(|_| OpenError::Unreachable)? else {
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

/// Waits for the server's answer.
async fn answer<T>(call: impl Future<Output = Result<T, Error>>) -> Result<T, OpenError> {
    let answered = timeout(ANSWER_TIMEOUT, call).await;
    answered
        .map_err(|_| OpenError::Unreachable)?
        .map_err(|error| OpenError::of_server(&error))
}
