//! Appending messages without holes, by means of the unique indexes.
//!
//! The next sequence numbers are those after the head. They are inserted in order by one ordered insert, which stops at
//! its first failure. The indexes allow each number and each `clientMessageID` of an upload only once. So a failed
//! insert has stored a prefix of its messages, which follows the head without a hole, whatever other nodes do
//! meanwhile, and however late the server executes an insert that timed out: the head was read from a majority of
//! servers and cannot be lost. Each message also stores how many places there are up to it, so that the numbers of
//! places follow from the head's in the same way.
//!
//! After a failure the head is read again and, unless another node has just taken the number, also what is stored under
//! the drafts' `clientMessageID`s. The messages' ids show whether this call or another one has stored it.

use std::collections::HashSet;
use std::time::Instant;

use app::model::{Message, Seq, UploadId};

use super::append_locks::{AppendState, AppendStats};
use super::documents::StoredMessage;
use super::driver_error::stored_count;
use super::error::Failure;
use super::messages::Conversation;
use super::retry::Retries;
use super::schema::Database;
use crate::store::{Appended, Draft, Position};

/// The most messages of one insert; more are inserted in several parts. A server may split a longer insert, and one
/// that continues with the next part after a failure, as `FerretDB` 1.24 does after 100, would leave a hole.
const MAX_INSERT: usize = 64;

/// Appends drafts to an upload's conversation, except those that are stored already.
pub(super) async fn append(
    database: &Database,
    upload: UploadId,
    drafts: Vec<Draft>,
    state: &mut AppendState,
) -> Result<Vec<Appended>, Failure> {
    let conversation = Conversation::new(database, upload);
    state.yield_turn(upload).await;
    let mut started = Instant::now();
    let start = match state.cached_last(upload) {
        Some(last) => last,
        None => conversation.last_of_upload().await?,
    };
    let mut call = AppendCall::new(upload, drafts, start);
    let mut base = start;
    let mut retries = Retries::default();
    while let Err(failure) = call.insert(database).await {
        retries.wait_after(failure).await?;
        started = Instant::now();
        call.refresh(conversation, retries.is_ambiguous).await?;
        base = call.last;
    }
    let (end, elapsed) = (call.last, started.elapsed());
    state.record(
        upload,
        &AppendStats {
            start: start.seq,
            base: base.seq,
            end,
            elapsed,
        },
    );
    Ok(call.results())
}

/// The state of one append: its drafts, and their results as far as known.
struct AppendCall {
    upload: UploadId,
    /// The head before the call.
    start: Seq,
    /// The position of the last message, as far as it is known.
    last: Position,
    drafts: Vec<(Draft, Option<Appended>)>,
}

impl AppendCall {
    fn new(upload: UploadId, drafts: Vec<Draft>, last: Position) -> Self {
        let drafts = drafts.into_iter().map(|draft| (draft, None)).collect();
        Self {
            upload,
            start: last.seq,
            last,
            drafts,
        }
    }

    /// Inserts the drafts without a result after the head. After a failure the first of them may be stored.
    async fn insert(&mut self, database: &Database) -> Result<(), Failure> {
        let collection = database.messages().clone_with_type::<StoredMessage>();
        for part in self.next_messages().chunks(MAX_INSERT) {
            let document =
                |(position, message): &(Position, _)| StoredMessage::new(message, position.places);
            let documents = part.iter().map(document);
            let inserted = collection.insert_many(documents).ordered(true).await;
            let stored = match &inserted {
                Ok(_) => part.len(),
                Err(error) => stored_count(error),
            };
            for (position, message) in part.iter().take(stored) {
                self.set_results(message);
                self.last = *position;
            }
            inserted?;
        }
        Ok(())
    }

    /// Reads the head again. If it has not moved, or the failure was ambiguous, also looks up which of the drafts
    /// without a result are stored.
    async fn refresh(
        &mut self,
        conversation: Conversation<'_>,
        is_ambiguous: bool,
    ) -> Result<(), Failure> {
        let known = self.last;
        // After a change of the primary, the new one may at first not know everything that was acknowledged.
        self.last = conversation.last().await?.max(known);
        if self.last == known || is_ambiguous {
            let client_ids: Vec<_> = self.pending().map(Draft::client_message_id).collect();
            let stored = conversation.known(&client_ids).await?;
            for message in &stored {
                self.set_results(message);
            }
        }
        Ok(())
    }

    /// Returns the drafts without a result; of several with the same client id only the first.
    fn pending(&self) -> impl Iterator<Item = &Draft> {
        let mut client_ids = HashSet::new();
        let pending = self.drafts.iter().filter(|(_, result)| result.is_none());
        pending
            .map(|(draft, _)| draft)
            .filter(move |draft| client_ids.insert(draft.client_message_id()))
    }

    fn next_messages(&self) -> Vec<(Position, Message)> {
        let mut last = self.last;
        let number = |draft: &Draft| {
            last = last.next(draft);
            (last, draft.clone().into_message(self.upload, last))
        };
        self.pending().map(number).collect()
    }

    /// Sets the result of the drafts with this stored message's client id: [`Appended::New`] for the draft with the
    /// message's own id if this call stored it, otherwise [`Appended::Known`].
    fn set_results(&mut self, message: &Message) {
        for (draft, result) in &mut self.drafts {
            if result.is_none() && draft.client_message_id() == &message.client_message_id {
                let is_new = draft.id == message.id && message.seq > self.start;
                let message = message.clone();
                *result = Some(if is_new {
                    Appended::New(message)
                } else {
                    Appended::Known(message.into())
                });
            }
        }
    }

    /// Returns the results, in the drafts' order, when all are set.
    fn results(self) -> Vec<Appended> {
        let results = self.drafts.into_iter().map(|(_, result)| result);
        results.flatten().collect()
    }
}
