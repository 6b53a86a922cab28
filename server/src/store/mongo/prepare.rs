//! What is done with a database before it is used.

use std::time::Duration;

use rand::RngExt;
use tokio::time::{sleep, timeout};

use super::error::OpenError;
use super::inspect;
use super::schema::Database;

/// How often the indexes are asked for: nodes that start together may be in each other's way.
const TRIES: u32 = 5;

/// How long the server may take for its first answer.
const ANSWER: Duration = Duration::from_secs(5);

/// How long making the indexes may take: long, since a large collection that lacks one is read through.
const PATIENCE: Duration = Duration::from_mins(10);

/// Makes sure that the server answers, lacks nothing, and has the indexes. Those that are there already stay as they are.
pub(super) async fn prepare(database: &Database) -> Result<(), OpenError> {
    timeout(ANSWER, database.ask())
        .await
        .map_err(|_| OpenError::Unreachable)?
        .map_err(|error| OpenError::of_server(&error))?;
    inspect::refuse_missing_collection(database).await?;
    let mut tries = 1;
    loop {
        let made = timeout(PATIENCE, database.make_indexes()).await;
        let Err(error) = made.map_err(|_| OpenError::Unreachable)? else {
            inspect::warn_of_unreadable(database).await;
            return Ok(());
        };
        let refused = OpenError::of_server(&error);
        if tries == TRIES || refused == OpenError::Refused {
            return Err(refused);
        }
        tries += 1;
        let pause = rand::rng().random_range(50..500);
        sleep(Duration::from_millis(pause)).await;
    }
}
