//! What all clients observe together: acknowledged messages, delays, counts, and violations of the guarantees.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use app::live::failure::ApiFailure;
use app::model::{
    ClientMessageId, LogEntry, Message, MessageId, NewMessage, Seq, Timestamp, Upload, UploadId,
};

use crate::restores::Restores;

/// More violations than these are not kept.
const MAX_VIOLATIONS: usize = 100;

/// A handle to the records; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<Records>>);

#[derive(Debug, Default)]
pub struct Records {
    /// What the API answered with 200 or 201; the same message is here once, however often it was the answer.
    pub acknowledged: HashMap<ClientMessageId, Vec<Message>>,
    /// What was asked to be deleted, by the messages' ids.
    pub deletions: Deletions,
    /// The images of uploads that were not acknowledged.
    pub unacknowledged: Vec<Vec<u8>>,
    /// How often what happened.
    pub counts: BTreeMap<String, u64>,
    /// What must not happen, in sentences; none: the run has passed.
    pub violations: Vec<String>,
    /// When each message was posted first, while delays are measured.
    posted: Option<HashMap<ClientMessageId, Instant>>,
    /// The longest time from there to its being listed by another client.
    pub longest_delay: Duration,
}

/// A message that somebody wanted to have deleted.
#[derive(Debug, Clone)]
pub struct AskedDeletion {
    pub upload: UploadId,
    pub seq: Seq,
    /// Of the message.
    pub key: ClientMessageId,
    /// Between which times a node answered that it is deleted.
    pub confirmed: Vec<[Timestamp; 2]>,
}

impl AskedDeletion {
    /// Whether it was confirmed, and no restore can have lost it.
    pub fn is_final(&self, restores: &Restores) -> bool {
        let mut confirmed = self.confirmed.iter();
        confirmed.any(|times| !restores.may_have_lost(*times))
    }
}

pub type Deletions = HashMap<MessageId, AskedDeletion>;

impl Recorder {
    pub fn lock(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn count(&self, what: impl Into<String>, times: usize) {
        self.lock().count(what, times);
    }

    pub fn violation(&self, violation: String) {
        self.lock().violation(violation);
    }

    pub fn violations(&self, violations: Vec<String>) {
        let mut records = self.lock();
        for violation in violations {
            records.violation(violation);
        }
    }

    /// Measures the delays of messages that are posted from now on.
    pub fn start_measuring(&self) {
        self.lock().posted = Some(HashMap::new());
    }

    pub fn on_post(&self, key: &ClientMessageId) {
        if let Some(posted) = &mut self.lock().posted {
            posted.entry(key.clone()).or_insert_with(Instant::now);
        }
    }

    /// A message is listed by a client that did not write it.
    pub fn on_listed(&self, key: &ClientMessageId) {
        let mut records = self.lock();
        let posted = records.posted.as_ref().and_then(|posted| posted.get(key));
        let delay = posted.map(Instant::elapsed).unwrap_or_default();
        records.longest_delay = records.longest_delay.max(delay);
    }

    pub fn on_answer(&self, new: &NewMessage, answer: &Result<LogEntry, ApiFailure>) {
        let mut records = self.lock();
        match answer {
            Ok(LogEntry::Message(message)) => records.acknowledge(new, message),
            // An earlier answer was lost, and somebody has deleted the message meanwhile.
            Ok(LogEntry::DeletedMessage(_)) => records.count("post of a deleted message", 1),
            Ok(LogEntry::Deletion(_)) => {
                let key = &new.client_message_id;
                records.violation(format!("a post of {key} was answered with a deletion"));
            }
            Err(failure) => records.count(format!("failed post: {failure}"), 1),
        }
    }

    pub fn on_upload(&self, bytes: &[u8], answer: &Result<Upload, ApiFailure>) {
        let mut records = self.lock();
        if answer.is_err() {
            records.count("failed upload", 1);
            records.unacknowledged.push(bytes.to_vec());
        }
    }

    /// Somebody asks for the deletion of a message.
    pub fn on_delete(&self, upload: UploadId, (seq, id): (Seq, MessageId), key: ClientMessageId) {
        let asked = AskedDeletion {
            upload,
            seq,
            key,
            confirmed: Vec::new(),
        };
        self.lock().deletions.entry(id).or_insert(asked);
    }

    /// A node has answered, between these times. `may_be_lost`: a restore may have lost the message.
    pub fn on_deleted(
        &self,
        id: MessageId,
        times: [Timestamp; 2],
        answer: &Result<(), ApiFailure>,
        may_be_lost: bool,
    ) {
        let mut records = self.lock();
        match answer {
            Ok(()) => {
                records.count("deletion of a message", 1);
                if let Some(asked) = records.deletions.get_mut(&id) {
                    asked.confirmed.push(times);
                }
            }
            Err(ApiFailure::Refused(problem)) if problem.status == 404 && may_be_lost => {
                records.count("deletion of a message that is lost", 1);
            }
            Err(ApiFailure::Refused(problem)) => {
                records.violation(format!("a deletion was refused: {}", problem.detail));
            }
            Err(failure) => records.count(format!("failed deletion: {failure}"), 1),
        }
    }
}

impl Records {
    /// What was acknowledged of these uploads.
    pub fn acknowledged_in(&self, uploads: &[UploadId]) -> Vec<Message> {
        let acknowledged = self.acknowledged.values().flatten();
        let wanted = acknowledged.filter(|message| uploads.contains(&message.upload_id));
        wanted.cloned().collect()
    }

    fn acknowledge(&mut self, new: &NewMessage, message: &Message) {
        let key = &new.client_message_id;
        let is_same = *key == message.client_message_id
            && new.author_name == message.author_name
            && new.content == message.content
            && new.author == message.author
            && new.at == message.at;
        if !is_same {
            self.violation(format!(
                "{key} was acknowledged as another message: {message:?}"
            ));
        }
        let acknowledged = self.acknowledged.entry(key.clone()).or_default();
        if !acknowledged.contains(message) {
            acknowledged.push(message.clone());
        }
    }

    fn count(&mut self, what: impl Into<String>, times: usize) {
        *self.counts.entry(what.into()).or_default() += times as u64;
    }

    fn violation(&mut self, violation: String) {
        if self.violations.len() < MAX_VIOLATIONS && !self.violations.contains(&violation) {
            self.violations.push(violation);
        }
    }
}
