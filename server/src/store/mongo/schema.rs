use std::time::Duration;

use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::error::Error;
use mongodb::options::IndexOptions;
use mongodb::{Collection, IndexModel};
use rand::RngExt;
use tokio::time::{sleep, timeout};

use super::documents::{Stored, StoredMessage, StoredUpload};
use super::error::{Failure, OpenError};
use super::inspect;
use super::pairing::PAIRING;

/// How often the indexes are asked for: nodes that start together may be in each other's way.
const TRIES: u32 = 5;

/// How long the server may take for its first answer.
const ANSWER: Duration = Duration::from_secs(5);

/// How long making the indexes may take: long, since a large collection that lacks one is read through.
const PATIENCE: Duration = Duration::from_mins(10);

/// The database and its collections. A clone shares their connections.
#[derive(Clone)]
pub(super) struct Database {
    handle: mongodb::Database,
    uploads: Collection<RawDocumentBuf>,
    messages: Collection<RawDocumentBuf>,
    pairing: Collection<Document>,
}

impl Database {
    pub fn new(database: &mongodb::Database) -> Self {
        Self {
            handle: database.clone(),
            uploads: database.collection(StoredUpload::COLLECTION),
            messages: database.collection(StoredMessage::COLLECTION),
            pairing: database.collection(PAIRING),
        }
    }

    /// The collection, as documents to be read one by one.
    pub fn uploads(&self) -> &Collection<RawDocumentBuf> {
        &self.uploads
    }

    /// The collection, as documents to be read one by one.
    pub fn messages(&self) -> &Collection<RawDocumentBuf> {
        &self.messages
    }

    /// The collection of one document, which tells the images that belong to the database.
    pub fn pairing(&self) -> &Collection<Document> {
        &self.pairing
    }

    /// Whether there is a collection of this name.
    pub async fn has(&self, collection: &str) -> Result<bool, Error> {
        let names = self.handle.list_collection_names();
        let names = names.filter(doc! { "name": collection }).await?;
        Ok(!names.is_empty())
    }

    /// Whether a server that takes writes answers.
    pub async fn ping(&self) -> Result<(), Failure> {
        self.handle.run_command(doc! { "ping": 1 }).await?;
        Ok(())
    }

    /// Makes an index each, since servers differ in what they make of several of which some are there already.
    async fn make_indexes(&self) -> Result<(), Error> {
        self.uploads
            .create_index(unique(doc! { "shortID": 1 }))
            .await?;
        let newest = IndexModel::builder().keys(doc! { "createdAt": -1 });
        self.uploads.create_index(newest.build()).await?;
        let by_time = doc! { "uploadID": 1, "createdAt": 1, "seq": 1 };
        let indexes = [
            unique(doc! { "uploadID": 1, "seq": 1 }),
            unique(doc! { "uploadID": 1, "clientMessageID": 1 }),
            IndexModel::builder().keys(by_time).build(),
        ];
        for index in indexes {
            self.messages.create_index(index).await?;
        }
        Ok(())
    }
}

/// Makes sure that the server answers, lacks nothing, and has the indexes. Those that are there already stay as they are.
pub(super) async fn prepare(database: &Database) -> Result<(), OpenError> {
    let ping = database.handle.run_command(doc! { "ping": 1 });
    timeout(ANSWER, ping.into_future())
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

fn unique(keys: Document) -> IndexModel {
    let options = IndexOptions::builder().unique(true).build();
    IndexModel::builder().keys(keys).options(options).build()
}
