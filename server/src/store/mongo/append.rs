//! Appending under the unique indexes.
//!
//! The next sequence numbers are those after the head, and they are inserted in their order by one ordered insert,
//! which stops at its first failure. The indexes let each number and each `clientMessageID` of an upload be taken
//! once. So what an insert leaves is a first part of it, and that part follows the head without a hole, whatever other
//! nodes do meanwhile, and however late the server comes to an insert that nobody waits for any more: the head that it
//! counts from was on a majority of servers and cannot be lost.
//!
//! After a failure the head is read again, and, unless another node has just taken the number, what is stored under
//! the drafts' `clientMessageID`s: by this very call, which shows in the drafts' ids, or by another.

use std::collections::HashSet;
use std::time::Instant;

use app::model::{Message, Seq, UploadId};

use super::documents::StoredMessage;
use super::error::Failure;
use super::messages::Conversation;
use super::schema::Database;
use super::told::stored_before;
use super::tries::Tries;
use super::turns::{Turn, Won};
use crate::store::{Appended, Draft};

/// The most messages of one insert; more are inserted one part after the other. A server may split a longer insert,
/// and one that goes on with its next part after a failure, as `FerretDB` 1.24 does after 100, would leave a hole.
const MAX_INSERT: usize = 64;

/// Appends drafts to an upload's conversation, but for those that it knows.
pub(super) async fn append(
    database: &Database,
    upload: UploadId,
    drafts: Vec<Draft>,
    turn: &mut Turn,
) -> Result<Vec<Appended>, Failure> {
    let conversation = Conversation::new(database, upload);
    turn.rest(upload).await;
    let mut began = Instant::now();
    let start = match turn.fresh_head(upload) {
        Some(head) => head,
        None => conversation.head_of_upload().await?,
    };
    let mut call = Call::new(upload, drafts, start);
    let mut base = start;
    let mut tries = Tries::default();
    while let Err(failure) = call.insert(database).await {
        tries.pause_after(failure).await?;
        began = Instant::now();
        call.look(conversation, tries.is_doubtful).await?;
        base = call.head;
    }
    let (end, took) = (call.head, began.elapsed());
    turn.won(
        upload,
        &Won {
            start,
            base,
            end,
            took,
        },
    );
    Ok(call.answers())
}

/// One call of append: its drafts, and the answers as far as they are known.
struct Call {
    upload: UploadId,
    /// The head before it.
    start: Seq,
    /// The head as far as it is known.
    head: Seq,
    drafts: Vec<(Draft, Option<Appended>)>,
}

impl Call {
    fn new(upload: UploadId, drafts: Vec<Draft>, start: Seq) -> Self {
        let drafts = drafts.into_iter().map(|draft| (draft, None)).collect();
        Self {
            upload,
            start,
            head: start,
            drafts,
        }
    }

    /// Inserts what has no answer yet after the head. After a failure a first part of it may be stored.
    async fn insert(&mut self, database: &Database) -> Result<(), Failure> {
        let collection = database.messages().clone_with_type::<StoredMessage>();
        for part in self.next_messages().chunks(MAX_INSERT) {
            let documents = part.iter().map(StoredMessage::from);
            let inserted = collection.insert_many(documents).ordered(true).await;
            let stored = match &inserted {
                Ok(_) => part.len(),
                Err(error) => stored_before(error),
            };
            for message in part.iter().take(stored) {
                self.settle(message);
                self.head = message.seq;
            }
            inserted?;
        }
        Ok(())
    }

    /// Finds out where to go on. A head that another node has moved explains a failure; when none has, or in doubt, it
    /// is looked up what is stored of the drafts that have no answer yet.
    async fn look(
        &mut self,
        conversation: Conversation<'_>,
        is_doubtful: bool,
    ) -> Result<(), Failure> {
        let known_head = self.head;
        // The first server that answers after a change of the primary may not know all that was acknowledged.
        self.head = conversation.head().await?.max(known_head);
        if self.head == known_head || is_doubtful {
            let names: Vec<_> = self.open().map(Draft::client_message_id).collect();
            let stored = conversation.known(&names).await?;
            for message in &stored {
                self.settle(message);
            }
        }
        Ok(())
    }

    /// The drafts that have no answer yet, of those with one name the first.
    fn open(&self) -> impl Iterator<Item = &Draft> {
        let mut names = HashSet::new();
        let open = self.drafts.iter().filter(|(_, answer)| answer.is_none());
        open.map(|(draft, _)| draft)
            .filter(move |draft| names.insert(draft.client_message_id()))
    }

    fn next_messages(&self) -> Vec<Message> {
        let mut last = self.head;
        let place = |draft: &Draft| {
            last = last.next();
            draft.clone().into_message(self.upload, last)
        };
        self.open().map(place).collect()
    }

    /// Answers the drafts that this stored message settles. It is new to the one whose id it has, unless it was there
    /// before this call.
    fn settle(&mut self, message: &Message) {
        for (draft, answer) in &mut self.drafts {
            if answer.is_none() && draft.client_message_id() == &message.client_message_id {
                let is_new = draft.id == message.id && message.seq > self.start;
                let message = message.clone();
                *answer = Some(if is_new {
                    Appended::New(message)
                } else {
                    Appended::Known(message)
                });
            }
        }
    }

    /// The answers, in the drafts' order, once there is one to each.
    fn answers(self) -> Vec<Appended> {
        let answers = self.drafts.into_iter().map(|(_, answer)| answer);
        answers.flatten().collect()
    }
}
