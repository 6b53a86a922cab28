//! Uploads and messages in MongoDB, for nodes that share them. Any number of nodes write; the unique indexes decide
//! between them, so that no transaction is needed and no node has to know of another.
//!
//! Writes are acknowledged by a majority with its journals, and reads see what a majority has: what was answered
//! survives the loss of a primary, and no reader sees, or goes on from, what such a loss may take back.

mod append;
mod documents;
mod error;
mod inspect;
mod messages;
mod options;
mod pairing;
mod prepare;
mod schema;
mod told;
mod tries;
mod turns;
mod uploads;
mod writes;

#[cfg(test)]
mod tests;

use std::time::Duration;

use app::model::{MessagePage, ShortId, Upload, UploadId, UploadRef};
use async_trait::async_trait;
use mongodb::Client;
use tokio::time::timeout;

pub use error::OpenError;

use self::error::in_time;
use self::schema::Database;
use self::turns::Turns;
use self::writes::Writes;
use super::{Appended, Draft, Select, Store, StoreError};
use crate::config::Secret;
use crate::ids::PairingId;

/// How long leaving waits for connections to close.
const CLOSING: Duration = Duration::from_secs(1);

/// The store in a database of a MongoDB server. A write that has not been answered in time may still be done later;
/// who repeats a post gets the message that it made.
pub struct MongoStore {
    client: Client,
    database: Database,
    writes: Writes,
    turns: Turns,
}

impl MongoStore {
    /// Connects to the database that `MONGO_URL` names and makes its indexes, which several nodes may do at once.
    ///
    /// # Errors
    /// When the URL is wrong, no server answers, or it refuses the login or the indexes.
    pub async fn open(url: &Secret) -> Result<Self, OpenError> {
        let options = options::parse(url).await?;
        let name = options::database_name(&options);
        let client = Client::with_options(options).map_err(|error| OpenError::of_url(&error))?;
        let database = Database::new(&client.database(&name));
        prepare::prepare(&database).await?;
        Ok(Self {
            client,
            database,
            writes: Writes::default(),
            turns: Turns::default(),
        })
    }

    /// Ends the writes under way, at most as long as a call may take, and closes the connections; writes asked for
    /// later are answered with [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.writes.stop().await;
        // The driver waits for all that is under way, reads that nobody waits for too.
        let closing = self.client.clone().shutdown().immediate(true);
        drop(timeout(CLOSING, closing).await);
    }
}

#[async_trait]
impl Store for MongoStore {
    async fn insert_upload(&self, upload: Upload) -> Result<(), StoreError> {
        let database = self.database.clone();
        let job = async move { uploads::insert(&database, &upload).await };
        self.writes.run(1, job).await
    }

    async fn upload(&self, name: UploadRef) -> Result<Upload, StoreError> {
        in_time(uploads::find(&self.database, name)).await
    }

    async fn append(
        &self,
        upload: UploadId,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Appended>, StoreError> {
        let database = self.database.clone();
        let (size, turn) = (drafts.len(), self.turns.of(upload));
        let job = async move {
            let mut turn = turn.lock().await;
            append::append(&database, upload, drafts, &mut turn).await
        };
        self.writes.run(size, job).await
    }

    async fn messages(
        &self,
        upload: UploadId,
        select: Select,
        limit: usize,
    ) -> Result<MessagePage, StoreError> {
        in_time(messages::page(&self.database, upload, select, limit)).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        in_time(self.database.ping()).await
    }

    async fn pairing(&self) -> Result<Option<PairingId>, StoreError> {
        in_time(pairing::read(&self.database)).await
    }

    async fn pair(&self, id: PairingId) -> Result<PairingId, StoreError> {
        let database = self.database.clone();
        let job = async move { pairing::write(&database, id).await };
        self.writes.run(1, job).await
    }

    async fn newest_uploads(&self, limit: usize) -> Result<Vec<ShortId>, StoreError> {
        // MongoDB takes 0 for no limit.
        if limit == 0 {
            return Ok(Vec::new());
        }
        in_time(uploads::newest(&self.database, limit)).await
    }
}
