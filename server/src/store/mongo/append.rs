//! Appending under the unique indexes.
//!
//! The next sequence numbers are those after the head, and they are inserted in their order by one ordered insert,
//! which stops at its first failure. The indexes let each number and each `clientMessageID` of an upload be taken
//! once. So what an insert leaves is a first part of it, and that part follows the head without a hole, whatever other
//! nodes do meanwhile, and however late the server comes to an insert that nobody waits for any more: the head that it
//! counts from was on a majority of servers and cannot be lost.
//!
//! When an insert fails, the head and the drafts' `clientMessageID`s are read again: they show what this insert has
//! stored, which is known by the drafts' ids, and what others have.

use std::collections::HashSet;
use std::time::Duration;

use app::model::{Message, Seq, UploadId};
use rand::RngExt;
use tokio::time::sleep;
use tokio::try_join;

use super::documents::StoredMessage;
use super::error::{Failure, is_duplicate, may_pass};
use super::messages::Conversation;
use super::schema::Database;
use crate::store::{Appended, Draft};

/// The most messages of one insert; more are inserted one part after the other. A server may split a longer insert,
/// and one that goes on with its next part after a failure, as `FerretDB` 1.24 does after 100, would leave a hole.
const MAX_INSERT: usize = 64;

/// How often an append is tried while other nodes take the numbers that it wanted. With the pauses this is about as
/// long as a call may take.
const MAX_COLLISIONS: u32 = 100;

/// How often an insert is tried anew after a lost connection or a change of the primary.
const MAX_LOSSES: u32 = 3;

/// The longest pause after a collision, in milliseconds.
const MAX_PAUSE: u64 = 32;

/// Appends drafts to an upload's conversation, but for those that it knows.
pub(super) async fn append(
    database: &Database,
    upload: UploadId,
    drafts: Vec<Draft>,
) -> Result<Vec<Appended>, Failure> {
    let conversation = Conversation::new(database, upload);
    let mut head = conversation.head().await?;
    conversation.require_if_empty(head).await?;
    let mut call = Call::new(upload, drafts, head);
    let mut tries = Tries::default();
    while let Err(failure) = call.insert(database, head).await {
        tries.pause_after(failure).await?;
        head = call.look(conversation).await?;
    }
    Ok(call.answers())
}

/// One call of append: its drafts, and the answers as far as they are known.
struct Call {
    upload: UploadId,
    /// The head before it.
    start: Seq,
    drafts: Vec<(Draft, Option<Appended>)>,
}

impl Call {
    fn new(upload: UploadId, drafts: Vec<Draft>, start: Seq) -> Self {
        let drafts = drafts.into_iter().map(|draft| (draft, None)).collect();
        Self {
            upload,
            start,
            drafts,
        }
    }

    /// Inserts what has no answer yet. After a failure a first part of it may be stored.
    async fn insert(&mut self, database: &Database, head: Seq) -> Result<(), Failure> {
        for part in self.next_messages(head).chunks(MAX_INSERT) {
            let messages = database.messages().clone_with_type::<StoredMessage>();
            let stored = part.iter().map(StoredMessage::from);
            messages.insert_many(stored).ordered(true).await?;
            part.iter().for_each(|message| self.settle(message));
        }
        Ok(())
    }

    /// Reads the head and what is stored of the drafts that have no answer yet.
    async fn look(&mut self, conversation: Conversation<'_>) -> Result<Seq, Failure> {
        let open = self.open();
        let names: Vec<_> = open.iter().map(|it| it.client_message_id()).collect();
        let (head, known) = try_join!(conversation.head(), conversation.known(&names))?;
        known.iter().for_each(|message| self.settle(message));
        Ok(head)
    }

    /// The drafts that have no answer yet, of those with one name the first.
    fn open(&self) -> Vec<&Draft> {
        let mut names = HashSet::new();
        let open = self.drafts.iter().filter(|(_, answer)| answer.is_none());
        open.map(|(draft, _)| draft)
            .filter(|draft| names.insert(draft.client_message_id()))
            .collect()
    }

    fn next_messages(&self, head: Seq) -> Vec<Message> {
        let mut last = head;
        let open = self.open().into_iter().cloned();
        open.map(|draft| {
            last = last.next();
            draft.into_message(self.upload, last)
        })
        .collect()
    }

    /// Answers the drafts that this stored message settles. It is new to the one whose id it has, unless it was there
    /// before this call.
    fn settle(&mut self, message: &Message) {
        for (draft, answer) in &mut self.drafts {
            if answer.is_none() && draft.client_message_id() == &message.client_message_id {
                let is_new = draft.id == message.id && message.seq > self.start;
                *answer = Some(if is_new {
                    Appended::New(message.clone())
                } else {
                    Appended::Known(message.clone())
                });
            }
        }
    }

    /// The answers, in the drafts' order; all are known by then.
    fn answers(self) -> Vec<Appended> {
        self.drafts
            .into_iter()
            .filter_map(|(_, answer)| answer)
            .collect()
    }
}

/// What went wrong so far.
#[derive(Default)]
struct Tries {
    collisions: u32,
    losses: u32,
}

impl Tries {
    /// Waits a little, unless the failure is final or there were too many.
    async fn pause_after(&mut self, failure: Failure) -> Result<(), Failure> {
        match failure {
            Failure::Driver(error) if is_duplicate(&error) => self.collisions += 1,
            Failure::Driver(error) if self.losses < MAX_LOSSES && may_pass(&error) => {
                self.losses += 1;
            }
            failure => return Err(failure),
        }
        if self.collisions > MAX_COLLISIONS {
            return Err(Failure::Outrun);
        }
        let longest = MAX_PAUSE.min(1 << self.collisions.min(5));
        let pause = rand::rng().random_range(0..=longest);
        sleep(Duration::from_millis(pause)).await;
        Ok(())
    }
}
