use app::model::{LogEntry, LogPage, Seq, UploadId};
use futures::TryStreamExt;
use mongodb::bson::{Document, RawDocumentBuf, doc};
use tokio::try_join;

use super::documents::{
    KnownEntry, Malformed, MessageState, Stored, StoredEntry, StoredKnownEntry, StoredMessageState,
    date, number, object_id, read, seq,
};
use super::error::Failure;
use super::schema::{Database, counts_places};
use super::uploads;
use crate::store::{Position, Select};

/// The log of an upload.
#[derive(Clone, Copy)]
pub(super) struct Log<'d> {
    database: &'d Database,
    upload: UploadId,
}

/// Reads a page of an upload's log, and its head.
///
/// The upload is read at the same time. If it is deleted just then, the page may lack what was removed already.
pub(super) async fn page(
    database: &Database,
    upload: UploadId,
    select: Select,
    limit: usize,
) -> Result<LogPage, Failure> {
    let page = Log::new(database, upload).page(select, limit);
    let (_, page) = try_join!(uploads::state(database, upload), page)?;
    Ok(page)
}

impl<'d> Log<'d> {
    pub fn new(database: &'d Database, upload: UploadId) -> Self {
        Self { database, upload }
    }

    /// The head is read first, and the page only up to it. Messages up to the head can only lose what they say, and
    /// tell so themselves.
    async fn page(self, select: Select, limit: usize) -> Result<LogPage, Failure> {
        // The newest page ends at the head, so one read is enough.
        if limit > 0 && matches!(select, Select::Newest) {
            let entries = self.select(select, Seq::new(u64::MAX), limit).await?;
            let head = entries.last().map_or(Seq::ZERO, LogEntry::seq);
            return Ok(LogPage { entries, head });
        }
        let head = self.head().await?;
        let entries = self.select(select, head, limit).await?;
        Ok(LogPage { entries, head })
    }

    /// Reads the position of the last entry.
    pub async fn last(self) -> Result<Position, Failure> {
        let Some(newest) = self.newest(self.filter()).await? else {
            return Ok(Position::default());
        };
        let (seq, places) = position_of(&newest)?;
        let places = match places {
            Some(places) => places,
            None => self.places_before(seq).await?,
        };
        Ok(Position { seq, places })
    }

    /// Reads how many messages before one of an earlier version have or had a place. Since those have none, it is what
    /// the newest one that counts places says, which may be older during a rolling update.
    async fn places_before(self, seq: Seq) -> Result<u32, Failure> {
        let newest = self.newest(self.counting_places_before(seq)).await?;
        let places = newest.map(|newest| position_of(&newest)).transpose()?;
        Ok(places.and_then(|(_, places)| places).unwrap_or_default())
    }

    /// Selects the entries before this one that count places: as the index of places needs it.
    pub fn counting_places_before(self, seq: Seq) -> Document {
        let mut filter = self.within(doc! { "$lt": number(seq) });
        filter.extend(counts_places());
        filter
    }

    async fn newest(self, filter: Document) -> Result<Option<RawDocumentBuf>, Failure> {
        let entries = self.database.entries();
        let newest = entries.find_one(filter).sort(doc! { "seq": -1 });
        Ok(newest
            .projection(doc! { "_id": 0, "seq": 1, "places": 1 })
            .await?)
    }

    async fn head(self) -> Result<Seq, Failure> {
        let newest = self.newest(self.filter()).await?;
        let head = newest.map(|newest| position_of(&newest)).transpose()?;
        Ok(head.map_or(Seq::ZERO, |(seq, _)| seq))
    }

    /// Reads who may delete a message; `None` if no message has this number.
    pub async fn message(self, seq: Seq) -> Result<Option<MessageState>, Failure> {
        let mut filter = self.filter();
        filter.insert("seq", number(seq));
        filter.insert("deletes", doc! { "$exists": false });
        let found = self
            .database
            .entries()
            .find_one(filter)
            .projection(doc! { "owner": 1, "deletedAt": 1 })
            .await?;
        let message = found.map(|document| read::<StoredMessageState>(&document));
        Ok(message.transpose()?)
    }

    /// Reads the stored entries with these client ids, in no particular order.
    pub async fn known(self, client_ids: &[&str]) -> Result<Vec<KnownEntry>, Failure> {
        let mut filter = self.filter();
        filter.insert("clientMessageID", doc! { "$in": client_ids });
        self.read::<StoredKnownEntry>(filter, doc! {}, client_ids.len())
            .await
    }

    async fn select(
        self,
        select: Select,
        head: Seq,
        limit: usize,
    ) -> Result<Vec<LogEntry>, Failure> {
        let head = number(head);
        match select {
            Select::Newest => self.backwards(doc! { "$lte": head }, limit).await,
            Select::Before(seq) => {
                let range = doc! { "$lte": head, "$lt": number(seq) };
                self.backwards(range, limit).await
            }
            Select::After(seq) => {
                let range = doc! { "$lte": head, "$gt": number(seq) };
                self.read::<StoredEntry>(self.within(range), doc! { "seq": 1 }, limit)
                    .await
            }
            Select::Since(moment) => {
                let mut filter = self.within(doc! { "$lte": head });
                filter.insert("createdAt", doc! { "$gt": date(moment) });
                self.read::<StoredEntry>(filter, doc! { "createdAt": 1, "seq": 1 }, limit)
                    .await
            }
        }
    }

    /// Reads the last entries of a range, oldest first.
    async fn backwards(self, range: Document, limit: usize) -> Result<Vec<LogEntry>, Failure> {
        let mut entries = self
            .read::<StoredEntry>(self.within(range), doc! { "seq": -1 }, limit)
            .await?;
        entries.reverse();
        Ok(entries)
    }

    async fn read<S: Stored>(
        self,
        filter: Document,
        sort: Document,
        limit: usize,
    ) -> Result<Vec<S::Model>, Failure> {
        // The server takes 0 as no limit.
        if limit == 0 {
            return Ok(Vec::new());
        }
        let documents: Vec<_> = self
            .database
            .entries()
            .find(filter)
            .sort(sort)
            .limit(i64::try_from(limit).unwrap_or(i64::MAX))
            // One batch is enough; with room for one more entry the server knows that it is the last.
            .batch_size(u32::try_from(limit).map_or(u32::MAX, |limit| limit.saturating_add(1)))
            .await?
            .try_collect()
            .await?;
        let entries = documents.iter().map(|found| read::<S>(found));
        Ok(entries.collect::<Result<_, _>>()?)
    }

    fn filter(self) -> Document {
        doc! { "uploadID": object_id(self.upload) }
    }

    fn within(self, range: Document) -> Document {
        doc! { "uploadID": object_id(self.upload), "seq": range }
    }
}

/// An entry's number, and how many messages up to it have or had a place; `None` in those of earlier versions.
fn position_of(document: &RawDocumentBuf) -> Result<(Seq, Option<u32>), Malformed> {
    let wrong = |field| Malformed {
        collection: StoredEntry::COLLECTION,
        id: None,
        field: Some(field),
    };
    let seq = document.get_i64("seq").ok().and_then(seq);
    let places = match document.get("places") {
        Ok(None) => Some(None),
        Ok(Some(places)) => places
            .as_i64()
            .and_then(|places| places.try_into().ok())
            .map(Some),
        Err(_) => None,
    };
    Ok((seq.ok_or(wrong("seq"))?, places.ok_or(wrong("places"))?))
}
