use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::error::Error;
use mongodb::options::IndexOptions;
use mongodb::{Collection, IndexModel};

use super::documents::{Stored, StoredMessage, StoredUpload};
use super::driver_error::is_not_implemented;
use super::error::Failure;

/// The name of the collection with the pairing id, and the id of its only document.
pub(super) const PAIRING: &str = "pairing";

/// The database and its collections. Clones share their connections.
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

    /// The collection of uploads, as documents that are parsed one by one.
    pub fn uploads(&self) -> &Collection<RawDocumentBuf> {
        &self.uploads
    }

    /// The collection of messages, as documents that are parsed one by one.
    pub fn messages(&self) -> &Collection<RawDocumentBuf> {
        &self.messages
    }

    /// The collection with the pairing id.
    pub fn pairing(&self) -> &Collection<Document> {
        &self.pairing
    }

    /// Returns whether there is a collection of this name.
    pub async fn has(&self, collection: &str) -> Result<bool, Error> {
        let names = self.handle.list_collection_names();
        let names = names.filter(doc! { "name": collection }).await?;
        Ok(!names.is_empty())
    }

    /// Checks that a server that takes writes answers.
    pub async fn ping(&self) -> Result<(), Failure> {
        Ok(self.run_ping().await?)
    }

    /// Like [`Self::ping`], with the driver's own error.
    pub async fn run_ping(&self) -> Result<(), Error> {
        self.handle.run_command(doc! { "ping": 1 }).await?;
        Ok(())
    }

    /// Creates the indexes one by one, since servers differ in how they handle several of which some exist.
    pub async fn create_indexes(&self) -> Result<(), Error> {
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
        self.create_index_of_places().await
    }

    /// Creates the index of the messages with a place, which are few. It saves reading the whole conversation when
    /// those after the last place are of earlier versions; a server without partial indexes does without it.
    async fn create_index_of_places(&self) -> Result<(), Error> {
        let options = IndexOptions::builder().partial_filter_expression(has_place());
        let index = IndexModel::builder()
            .keys(doc! { "uploadID": 1, "seq": -1 })
            .options(options.build());
        match self.messages.create_index(index.build()).await {
            Err(error) if is_not_implemented(&error) => {
                tracing::warn!(
                    "the MongoDB server has no partial indexes, so that some pins are numbered more slowly"
                );
                Ok(())
            }
            created => created.map(drop),
        }
    }
}

/// The condition that a message has a place.
pub(super) fn has_place() -> Document {
    doc! { "at": { "$exists": true } }
}

fn unique(keys: Document) -> IndexModel {
    let options = IndexOptions::builder().unique(true).build();
    IndexModel::builder().keys(keys).options(options).build()
}
