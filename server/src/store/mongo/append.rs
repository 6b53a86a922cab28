//! Appending entries without holes, by means of the unique indexes.
//!
//! The next sequence numbers are those after the head. They are inserted in order by one ordered insert, which stops at
//! its first failure. The indexes allow each number and each `clientMessageID` of an upload only once. So a failed
//! insert has stored a prefix of its entries, which follows the head without a hole, whatever other nodes do
//! meanwhile, and however late the server executes an insert that timed out: the head was read from a majority of
//! servers and cannot be lost. Each entry also stores how many places there are up to it, so that the numbers of
//! places follow from the head's in the same way.
//!
//! After a failure the head is read again and, unless another node has just taken the number, also what is stored under
//! the `clientMessageID`s. The entries' ids show whether this call or another one has stored it.

use std::collections::HashSet;
use std::time::Instant;

use app::model::{Deletion, LogEntry, MessageId, Seq, UploadId};
use tokio::try_join;

use super::append_locks::{AppendState, AppendStats};
use super::documents::{
    KnownEntry, Malformed, PendingDeletion, Stored, StoredEntry, client_id_of_deletion,
};
use super::driver_error::stored_count;
use super::error::Failure;
use super::log::Log;
use super::retry::Retries;
use super::schema::Database;
use super::uploads;
use crate::store::{Appended, Draft, Position};

/// The most entries of one insert; more are inserted in several parts. A server may split a longer insert, and one
/// that continues with the next part after a failure, as `FerretDB` 1.24 does after 100, would leave a hole.
const MAX_INSERT: usize = 64;

/// What becomes an entry of a log, at the next position.
pub(super) enum NewEntry {
    /// A message, whose client id tells if it is stored already.
    Message(Draft),
    /// The deletion of a message, and its client id.
    Deletion(PendingDeletion, String),
}

/// An entry that is stored, and whether this call has stored it.
pub(super) struct Outcome {
    pub entry: LogEntry,
    pub is_new: bool,
}

/// Appends drafts to an upload's log, except those that are stored already.
pub(super) async fn append(
    database: &Database,
    upload: UploadId,
    drafts: Vec<Draft>,
    state: &mut AppendState,
) -> Result<Vec<Appended>, Failure> {
    let drafts = drafts.into_iter().map(NewEntry::Message).collect();
    let outcomes = append_entries(database, upload, drafts, state).await?;
    let appended = outcomes.into_iter().map(|outcome| match outcome {
        Outcome {
            entry: LogEntry::Message(message),
            is_new: true,
        } => Appended::New(message),
        Outcome { entry, .. } => Appended::Known(entry),
    });
    Ok(appended.collect())
}

/// Appends the deletion of a message to its upload's log, unless it is there already, and returns it.
pub(super) async fn append_deletion(
    database: &Database,
    deletion: PendingDeletion,
    state: &mut AppendState,
) -> Result<Deletion, Failure> {
    let client_id = client_id_of_deletion(deletion.deletes);
    let entries = vec![NewEntry::Deletion(deletion, client_id)];
    let outcomes = append_entries(database, deletion.upload, entries, state).await?;
    match outcomes.first().map(|outcome| &outcome.entry) {
        Some(LogEntry::Deletion(deletion)) => Ok(*deletion),
        other => Err(Failure::Malformed(Malformed {
            collection: StoredEntry::COLLECTION,
            id: other.map(LogEntry::id),
            field: Some("deletes"),
        })),
    }
}

async fn append_entries(
    database: &Database,
    upload: UploadId,
    entries: Vec<NewEntry>,
    state: &mut AppendState,
) -> Result<Vec<Outcome>, Failure> {
    let log = Log::new(database, upload);
    state.yield_turn(upload).await;
    let mut started = Instant::now();
    let head = async {
        match state.cached_last(upload) {
            Some(last) => Ok(last),
            None => log.last().await,
        }
    };
    let (_, start) = try_join!(uploads::state(database, upload), head)?;
    let mut call = AppendCall::new(upload, entries, start);
    let mut base = start;
    let mut retries = Retries::default();
    while let Err(failure) = call.insert(database).await {
        retries.wait_after(failure).await?;
        started = Instant::now();
        call.refresh(log, retries.is_ambiguous).await?;
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
    Ok(call.outcomes())
}

impl NewEntry {
    fn id(&self) -> MessageId {
        match self {
            Self::Message(draft) => draft.id,
            Self::Deletion(deletion, _) => deletion.draft.id,
        }
    }

    fn client_id(&self) -> &str {
        match self {
            Self::Message(draft) => draft.client_message_id().as_str(),
            Self::Deletion(_, client_id) => client_id,
        }
    }

    fn position_after(&self, last: Position) -> Position {
        match self {
            Self::Message(draft) => last.next(draft),
            Self::Deletion(..) => last.next_deletion(),
        }
    }

    /// Makes the entry that this becomes at a position, and its document.
    fn at(&self, upload: UploadId, position: Position) -> (LogEntry, StoredEntry) {
        match self {
            Self::Message(draft) => {
                let message = draft.clone().into_message(upload, position);
                let stored = StoredEntry::of_message(&message, position.places, draft.owner);
                (message.into(), stored)
            }
            Self::Deletion(deletion, _) => {
                let deletion = Deletion {
                    id: deletion.draft.id,
                    upload_id: upload,
                    seq: position.seq,
                    deletes: deletion.deletes,
                    created_at: deletion.draft.created_at,
                };
                let stored = StoredEntry::of_deletion(&deletion, position.places);
                (LogEntry::Deletion(deletion), stored)
            }
        }
    }
}

/// An entry that is about to be inserted.
struct Next {
    position: Position,
    known: KnownEntry,
    stored: StoredEntry,
}

/// The state of one append: its entries, and their outcomes as far as known.
struct AppendCall {
    upload: UploadId,
    /// The head before the call.
    start: Seq,
    /// The position of the last entry, as far as it is known.
    last: Position,
    entries: Vec<(NewEntry, Option<Outcome>)>,
}

impl AppendCall {
    fn new(upload: UploadId, entries: Vec<NewEntry>, last: Position) -> Self {
        let entries = entries.into_iter().map(|entry| (entry, None)).collect();
        Self {
            upload,
            start: last.seq,
            last,
            entries,
        }
    }

    /// Inserts the entries without an outcome after the head. After a failure the first of them may be stored.
    async fn insert(&mut self, database: &Database) -> Result<(), Failure> {
        let collection = database.entries().clone_with_type::<StoredEntry>();
        for part in self.next_entries().chunks(MAX_INSERT) {
            let documents = part.iter().map(|next| &next.stored);
            let inserted = collection.insert_many(documents).ordered(true).await;
            let stored = match &inserted {
                Ok(_) => part.len(),
                Err(error) => stored_count(error),
            };
            for next in part.iter().take(stored) {
                self.set_outcomes(&next.known);
                self.last = next.position;
            }
            inserted?;
        }
        Ok(())
    }

    /// Reads the head again. If it has not moved, or the failure was ambiguous, also looks up which of the entries
    /// without an outcome are stored.
    async fn refresh(&mut self, log: Log<'_>, is_ambiguous: bool) -> Result<(), Failure> {
        let known = self.last;
        // After a change of the primary, the new one may at first not know everything that was acknowledged.
        self.last = log.last().await?.max(known);
        if self.last == known || is_ambiguous {
            let client_ids: Vec<_> = self.pending().map(NewEntry::client_id).collect();
            for stored in &log.known(&client_ids).await? {
                self.set_outcomes(stored);
            }
        }
        Ok(())
    }

    /// Returns the entries without an outcome; of several with the same client id only the first.
    fn pending(&self) -> impl Iterator<Item = &NewEntry> {
        let mut client_ids = HashSet::new();
        let pending = self.entries.iter().filter(|(_, outcome)| outcome.is_none());
        pending
            .map(|(entry, _)| entry)
            .filter(move |entry| client_ids.insert(entry.client_id()))
    }

    fn next_entries(&self) -> Vec<Next> {
        let mut position = self.last;
        let next = |new: &NewEntry| {
            position = new.position_after(position);
            let (entry, stored) = new.at(self.upload, position);
            let client_id = new.client_id().to_owned();
            Next {
                position,
                known: KnownEntry { client_id, entry },
                stored,
            }
        };
        self.pending().map(next).collect()
    }

    /// Sets the outcome of the entries with this stored one's client id. It is new if this call stored it, which its
    /// own id tells.
    fn set_outcomes(&mut self, stored: &KnownEntry) {
        for (new, outcome) in &mut self.entries {
            if outcome.is_none() && new.client_id() == stored.client_id {
                let entry = stored.entry.clone();
                let is_new = new.id() == entry.id() && entry.seq() > self.start;
                *outcome = Some(Outcome { entry, is_new });
            }
        }
    }

    /// Returns the outcomes, in the entries' order, when all are set.
    fn outcomes(self) -> Vec<Outcome> {
        let outcomes = self.entries.into_iter().map(|(_, outcome)| outcome);
        outcomes.flatten().collect()
    }
}
