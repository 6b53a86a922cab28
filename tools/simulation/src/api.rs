//! The calls of the HTTP API that a conversation makes, without HTTP.

use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::live::failure::ApiFailure;
use app::live::machine::Input;
use app::model::{AuthorSecret, LogEntry, LogPage, MessageId, NewMessage, Seq, UploadId};
use app::texts::Language;
use server::http::error::ApiError;
use server::hub::deleting::{DeleteError, Deleter};
use server::hub::posting::Poster;
use server::store::{Appended, MessageRef, SecretHash, Select, Store, StoreError};
use tokio::sync::Notify;
use tokio::time::timeout;

/// A node answers within this time, whatever its backends do.
const BACKEND_TIMEOUT: Duration = Duration::from_millis(2_700);
/// What the browser asks for at once.
const PAGE: usize = 200;
/// How many entries it asks for at first, and a page has.
pub const NEWEST: usize = 50;

/// What a client asks for.
#[derive(Debug, Clone)]
pub enum What {
    From(Seq),
    Newest,
    UpTo(Seq),
    Post(NewMessage),
    Delete(Seq, MessageId),
    DeleteUpload,
}

/// A call of a client.
pub struct Call {
    pub upload: UploadId,
    pub secret: AuthorSecret,
    pub what: What,
}

/// The answer to a call of this number.
pub struct Answer {
    pub client: usize,
    pub number: u64,
    pub input: Result<Input, UploadDeleted>,
}

/// The answer to [`What::DeleteUpload`], which no state machine gets: whether the upload is gone.
pub struct UploadDeleted(pub bool);

/// The parts of a node that handle calls.
pub struct Api {
    pub poster: Poster,
    pub deleter: Deleter,
    pub store: Arc<dyn Store>,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(seq) => write!(f, "list from {seq} on"),
            Self::Newest => f.write_str("list the newest"),
            Self::UpTo(seq) => write!(f, "list up to {seq}"),
            Self::Post(new) => write!(f, "post {}", new.client_message_id),
            Self::Delete(seq, _) => write!(f, "delete {seq}"),
            Self::DeleteUpload => f.write_str("delete the upload"),
        }
    }
}

/// What an answer says.
pub fn answered(input: &Input) -> String {
    let page = |page: &Result<LogPage, ApiFailure>| match page {
        Ok(page) => format!("{} entries, head {}", page.entries.len(), page.head),
        Err(failure) => format!("failed: {failure}"),
    };
    match input {
        Input::Fetched(it) | Input::FetchedNewest(it) | Input::FetchedOlder(it) => page(it),
        Input::PostAnswered(key, Ok(entry)) => format!("{key} is stored as {}", entry.seq()),
        Input::PostAnswered(key, Err(failure)) => format!("{key} failed: {failure}"),
        Input::DeleteAnswered(seq, Ok(())) => format!("{seq} is deleted"),
        Input::DeleteAnswered(seq, Err(failure)) => format!("{seq} not deleted: {failure}"),
        _ => String::new(),
    }
}

impl What {
    /// The input of the client that gets no answer.
    pub fn failed(&self, failure: ApiFailure) -> Result<Input, UploadDeleted> {
        Ok(match self {
            Self::From(_) => Input::Fetched(Err(failure)),
            Self::Newest => Input::FetchedNewest(Err(failure)),
            Self::UpTo(_) => Input::FetchedOlder(Err(failure)),
            Self::Post(new) => Input::PostAnswered(new.client_message_id.clone(), Err(failure)),
            Self::Delete(seq, _) => Input::DeleteAnswered(*seq, Err(failure)),
            Self::DeleteUpload => return Err(UploadDeleted(false)),
        })
    }
}

impl Api {
    /// Handles a call, as the routes do.
    pub async fn handle(&self, call: Call) -> Result<Input, UploadDeleted> {
        let Call {
            upload,
            secret,
            what,
        } = call;
        let owner = Some(SecretHash::new(upload, &secret));
        Ok(match what {
            What::From(seq) => {
                let select = Select::After(seq.previous());
                Input::Fetched(self.page(upload, select, PAGE).await)
            }
            What::Newest => Input::FetchedNewest(self.page(upload, Select::Newest, NEWEST).await),
            What::UpTo(seq) => {
                let select = Select::Before(seq.next());
                Input::FetchedOlder(self.page(upload, select, NEWEST + 1).await)
            }
            What::Post(new) => {
                let key = new.client_message_id.clone();
                let posted = self.poster.post(upload, new, owner);
                let posted = in_time(posted).await.map(|appended| match appended {
                    Appended::New(message) => LogEntry::Message(message),
                    Appended::Known(entry) => entry,
                });
                Input::PostAnswered(key, posted)
            }
            What::Delete(seq, id) => {
                let message = MessageRef { seq, id: Some(id) };
                let deleted = self.deleter.delete_message(upload, message, owner.into());
                Input::DeleteAnswered(seq, in_time(deleted).await)
            }
            What::DeleteUpload => {
                let deleted = self.deleter.delete_upload(upload, owner.into()).await;
                let is_gone = matches!(deleted, Ok(()) | Err(DeleteError::Store(StoreError::Gone)));
                return Err(UploadDeleted(is_gone));
            }
        })
    }

    async fn page(
        &self,
        upload: UploadId,
        select: Select,
        limit: usize,
    ) -> Result<LogPage, ApiFailure> {
        in_time(self.store.entries(upload, select, limit)).await
    }
}

/// Waits for a call, and answers its error as the routes do.
async fn in_time<T, E>(call: impl Future<Output = Result<T, E>>) -> Result<T, ApiFailure>
where
    ApiError: From<E>,
{
    let result = timeout(BACKEND_TIMEOUT, call).await;
    let result = result.map_or(Err(ApiError::Unavailable), |result| Ok(result?));
    result.map_err(|error| {
        let status = error.to_problem(Language::En).status;
        let failure = ApiFailure::read::<()>(status, None, "");
        failure.expect_err("these are no successes")
    })
}

/// A call under way. If its process is killed, the client's connection breaks.
pub struct Pending {
    answers: Arc<Mutex<Vec<Answer>>>,
    activity: Arc<Notify>,
    answer: Option<Answer>,
}

impl Pending {
    /// Begins a call.
    pub fn new(
        client: usize,
        number: u64,
        call: &Call,
        answers: Arc<Mutex<Vec<Answer>>>,
        activity: Arc<Notify>,
    ) -> Self {
        let input = call.what.failed(ApiFailure::Unreachable);
        Self {
            answers,
            activity,
            answer: Some(Answer {
                client,
                number,
                input,
            }),
        }
    }

    /// Answers it.
    pub fn answer(mut self, input: Result<Input, UploadDeleted>) {
        if let Some(answer) = &mut self.answer {
            drop(mem::replace(&mut answer.input, input));
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.extend(self.answer.take());
        self.activity.notify_one();
    }
}
