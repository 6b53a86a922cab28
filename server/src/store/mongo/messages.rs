use app::model::{ClientMessageId, LogPage, Message, Seq, UploadId};
use futures::TryStreamExt;
use mongodb::bson::{Document, RawDocumentBuf, doc};

use super::documents::{Malformed, Stored, StoredMessage, date, number, object_id, read, seq};
use super::error::Failure;
use super::schema::{Database, has_place};
use super::uploads;
use crate::store::{Position, Select};

/// The conversation of an upload.
#[derive(Clone, Copy)]
pub(super) struct Conversation<'d> {
    database: &'d Database,
    upload: UploadId,
}

/// Reads a page of an upload's conversation, and its head.
///
/// The head is read first, and the page only up to it. Messages are neither changed nor removed, so the page is as it
/// was when the head was read.
pub(super) async fn page(
    database: &Database,
    upload: UploadId,
    select: Select,
    limit: usize,
) -> Result<LogPage, Failure> {
    let conversation = Conversation::new(database, upload);
    // The newest page ends at the head, so one read is enough.
    if limit > 0 && matches!(select, Select::Newest) {
        let messages = conversation
            .select(select, Seq::new(u64::MAX), limit)
            .await?;
        let head = messages.last().map_or(Seq::ZERO, |newest| newest.seq);
        conversation.require_if_empty(head).await?;
        return Ok(LogPage {
            entries: messages.into_iter().map(Into::into).collect(),
            head,
        });
    }
    let head = conversation.head_of_upload().await?;
    let messages = conversation.select(select, head, limit).await?;
    Ok(LogPage {
        entries: messages.into_iter().map(Into::into).collect(),
        head,
    })
}

impl<'d> Conversation<'d> {
    pub fn new(database: &'d Database, upload: UploadId) -> Self {
        Self { database, upload }
    }

    /// Reads the position of the last message.
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

    /// Reads how many messages before one of an earlier version have a place. Since those have none, it is what the
    /// newest with a place says, which may be older during a rolling update.
    async fn places_before(self, seq: Seq) -> Result<u32, Failure> {
        let newest = self.newest(self.with_place_before(seq)).await?;
        let places = newest.map(|newest| position_of(&newest)).transpose()?;
        Ok(places.and_then(|(_, places)| places).unwrap_or_default())
    }

    /// Selects the messages with a place before this one: as the index of places needs it.
    pub fn with_place_before(self, seq: Seq) -> Document {
        let mut filter = self.within(doc! { "$lt": number(seq) });
        filter.extend(has_place());
        filter
    }

    async fn newest(self, filter: Document) -> Result<Option<RawDocumentBuf>, Failure> {
        let messages = self.database.messages();
        let newest = messages.find_one(filter).sort(doc! { "seq": -1 });
        Ok(newest
            .projection(doc! { "_id": 0, "seq": 1, "places": 1 })
            .await?)
    }

    /// Reads the head, and fails if there is no such upload.
    async fn head_of_upload(self) -> Result<Seq, Failure> {
        let newest = self.newest(self.filter()).await?;
        let head = newest.map(|newest| position_of(&newest)).transpose()?;
        let head = head.map_or(Seq::ZERO, |(seq, _)| seq);
        self.require_if_empty(head).await?;
        Ok(head)
    }

    /// Reads the position of the last message, and fails if there is no such upload.
    pub async fn last_of_upload(self) -> Result<Position, Failure> {
        let last = self.last().await?;
        self.require_if_empty(last.seq).await?;
        Ok(last)
    }

    /// Checks that the upload exists if its conversation is empty; one with messages has an upload.
    async fn require_if_empty(self, head: Seq) -> Result<(), Failure> {
        if head == Seq::ZERO {
            uploads::require(self.database, self.upload).await?;
        }
        Ok(())
    }

    /// Reads the stored messages with these client ids, in no particular order.
    pub async fn known(self, client_ids: &[&ClientMessageId]) -> Result<Vec<Message>, Failure> {
        let client_ids: Vec<_> = client_ids.iter().map(|id| id.as_str()).collect();
        let mut filter = self.filter();
        filter.insert("clientMessageID", doc! { "$in": &client_ids });
        self.read(filter, doc! {}, client_ids.len()).await
    }

    async fn select(
        self,
        select: Select,
        head: Seq,
        limit: usize,
    ) -> Result<Vec<Message>, Failure> {
        let head = number(head);
        match select {
            Select::Newest => self.backwards(doc! { "$lte": head }, limit).await,
            Select::Before(seq) => {
                let range = doc! { "$lte": head, "$lt": number(seq) };
                self.backwards(range, limit).await
            }
            Select::After(seq) => {
                let range = doc! { "$lte": head, "$gt": number(seq) };
                self.read(self.within(range), doc! { "seq": 1 }, limit)
                    .await
            }
            Select::Since(moment) => {
                let mut filter = self.within(doc! { "$lte": head });
                filter.insert("createdAt", doc! { "$gt": date(moment) });
                self.read(filter, doc! { "createdAt": 1, "seq": 1 }, limit)
                    .await
            }
        }
    }

    /// Reads the last messages of a range, oldest first.
    async fn backwards(self, range: Document, limit: usize) -> Result<Vec<Message>, Failure> {
        let mut messages = self
            .read(self.within(range), doc! { "seq": -1 }, limit)
            .await?;
        messages.reverse();
        Ok(messages)
    }

    async fn read(
        self,
        filter: Document,
        sort: Document,
        limit: usize,
    ) -> Result<Vec<Message>, Failure> {
        // The server takes 0 as no limit.
        if limit == 0 {
            return Ok(Vec::new());
        }
        let documents: Vec<_> = self
            .database
            .messages()
            .find(filter)
            .sort(sort)
            .limit(i64::try_from(limit).unwrap_or(i64::MAX))
            // One batch is enough; with room for one more message the server knows that it is the last.
            .batch_size(u32::try_from(limit).map_or(u32::MAX, |limit| limit.saturating_add(1)))
            .await?
            .try_collect()
            .await?;
        let messages = documents.iter().map(|found| read::<StoredMessage>(found));
        Ok(messages.collect::<Result<_, _>>()?)
    }

    fn filter(self) -> Document {
        doc! { "uploadID": object_id(self.upload) }
    }

    fn within(self, range: Document) -> Document {
        doc! { "uploadID": object_id(self.upload), "seq": range }
    }
}

/// A message's number, and how many messages up to it have a place; `None` in those of earlier versions.
fn position_of(document: &RawDocumentBuf) -> Result<(Seq, Option<u32>), Malformed> {
    let wrong = |field| Malformed {
        collection: StoredMessage::COLLECTION,
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
