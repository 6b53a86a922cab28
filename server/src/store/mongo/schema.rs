use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::error::Error;
use mongodb::options::IndexOptions;
use mongodb::{Collection, IndexModel};

use super::documents::{Stored, StoredBlockedAddress, StoredDeletion, StoredEntry, StoredUpload};
use super::driver_error::{is_duplicate, is_not_implemented};
use super::error::Failure;

/// The name of the collection with the pairing id, and the id of its only document.
pub(super) const PAIRING: &str = "pairing";

/// The name of the collection with the hashes of images that are refused.
const BLOCKED_IMAGES: &str = "blockedImages";

/// The name of the collection with the version of the schema, and the id of its only document.
const SCHEMA: &str = "schema";

/// The version of the schema, which is raised when earlier programs cannot read what this one writes. Databases of
/// those that wrote no version have 0. Version 1 has deletions in the logs.
pub(super) const VERSION: i64 = 1;

/// The database and its collections. Clones share their connections.
#[derive(Clone)]
pub(super) struct Database {
    handle: mongodb::Database,
    uploads: Collection<RawDocumentBuf>,
    entries: Collection<RawDocumentBuf>,
    deletions: Collection<RawDocumentBuf>,
    blocked_images: Collection<Document>,
    blocked_addresses: Collection<RawDocumentBuf>,
    pairing: Collection<Document>,
    schema: Collection<Document>,
}

impl Database {
    pub fn new(database: &mongodb::Database) -> Self {
        Self {
            handle: database.clone(),
            uploads: database.collection(StoredUpload::COLLECTION),
            entries: database.collection(StoredEntry::COLLECTION),
            deletions: database.collection(StoredDeletion::COLLECTION),
            blocked_images: database.collection(BLOCKED_IMAGES),
            blocked_addresses: database.collection(StoredBlockedAddress::COLLECTION),
            pairing: database.collection(PAIRING),
            schema: database.collection(SCHEMA),
        }
    }

    /// The collection of uploads, as documents that are parsed one by one.
    pub fn uploads(&self) -> &Collection<RawDocumentBuf> {
        &self.uploads
    }

    /// The collection of the logs' entries, as documents that are parsed one by one.
    pub fn entries(&self) -> &Collection<RawDocumentBuf> {
        &self.entries
    }

    /// The collection of deletions that are under way. It is small, and needs no index.
    pub fn deletions(&self) -> &Collection<RawDocumentBuf> {
        &self.deletions
    }

    /// The collection with the hashes of images that are refused, as the ids of its documents.
    pub fn blocked_images(&self) -> &Collection<Document> {
        &self.blocked_images
    }

    /// The collection of blocked addresses. It is small, and needs no index.
    pub fn blocked_addresses(&self) -> &Collection<RawDocumentBuf> {
        &self.blocked_addresses
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

    /// Reads the version of the schema. One that no program has written counts as newer than all.
    pub async fn version(&self) -> Result<i64, Error> {
        let found = self.schema.find_one(doc! { "_id": SCHEMA }).await?;
        Ok(found.map_or(0, |found| found.get_i64("version").unwrap_or(i64::MAX)))
    }

    /// Raises the version of the schema to this program's, unless it is that or a newer one.
    pub async fn raise_version(&self) -> Result<(), Error> {
        let document = doc! { "_id": SCHEMA, "version": VERSION };
        match self.schema.insert_one(document).await {
            Err(error) if is_duplicate(&error) => {
                let older = doc! { "_id": SCHEMA, "version": { "$lt": VERSION } };
                let raise = doc! { "$set": { "version": VERSION } };
                self.schema.update_one(older, raise).await.map(drop)
            }
            inserted => inserted.map(drop),
        }
    }

    /// Creates the indexes one by one, since servers differ in how they handle several of which some exist.
    pub async fn create_indexes(&self) -> Result<(), Error> {
        self.uploads
            .create_index(unique(doc! { "shortID": 1 }))
            .await?;
        let newest = doc! { "createdAt": -1, "_id": -1 };
        let reported = doc! { "isReported": 1, "createdAt": -1, "_id": -1 };
        for keys in [newest, reported] {
            let index = IndexModel::builder().keys(keys);
            self.uploads.create_index(index.build()).await?;
        }
        let removals = IndexModel::builder().keys(doc! { "removeAt": 1 });
        self.uploads.create_index(removals.build()).await?;
        let by_time = doc! { "uploadID": 1, "createdAt": 1, "seq": 1 };
        let indexes = [
            unique(doc! { "uploadID": 1, "seq": 1 }),
            unique(doc! { "uploadID": 1, "clientMessageID": 1 }),
            IndexModel::builder().keys(by_time).build(),
        ];
        for index in indexes {
            self.entries.create_index(index).await?;
        }
        self.create_index_of_places().await
    }

    /// Creates the index of the entries that count places. It saves reading the whole log when those after the last one
    /// are of earlier versions; a server without partial indexes does without it.
    async fn create_index_of_places(&self) -> Result<(), Error> {
        let options = IndexOptions::builder()
            .name("places".to_owned())
            .partial_filter_expression(counts_places());
        let index = IndexModel::builder()
            .keys(doc! { "uploadID": 1, "seq": -1 })
            .options(options.build());
        match self.entries.create_index(index.build()).await {
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

/// The condition that an entry counts the places up to it, because there are any. Whether it has one itself does not
/// matter: a message that is deleted loses its own.
pub(super) fn counts_places() -> Document {
    doc! { "places": { "$gt": 0_i64 } }
}

fn unique(keys: Document) -> IndexModel {
    let options = IndexOptions::builder().unique(true).build();
    IndexModel::builder().keys(keys).options(options).build()
}
