//! What a socket asks, done: `watch`, `unwatch` and `touch`.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use app::event::{
    ClientCommand, CommandName, MAX_WATCHED_UPLOADS, Refusal, RefusalCode, ServerEvent,
};
use app::model::{Point, Seq, ShortId, TabId, TouchPoint, UploadId, UploadRef};
use axum::extract::ws::Utf8Bytes;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::{Hub, HubLimits, Membership, Outbox, encode};
use crate::broker::{DeliveryClass, Frame};
use crate::store::{Select, StoreError};

/// A client that is at most this many messages behind gets them with `watched`; one further behind pages over HTTP.
const MAX_BACKLOG_MESSAGES: usize = 64;
/// A `watched` larger than this, in bytes, is sent without its messages.
const MAX_BACKLOG_BYTES: usize = 256 * 1024;
/// Frames of any kind per socket and second, with bursts of as many. Well above what touches and watches need; a client
/// beyond it breaks the rules (1008).
const FRAMES_PER_SECOND: NonZeroU32 = NonZeroU32::new(200).expect("200 is not 0");
/// A socket's touches have calmed down when none was dropped for this long: the next dropped one is refused again.
const CALM: Duration = Duration::from_secs(1);

/// The client sends more frames than any use of the protocol needs.
pub(super) struct TooManyFrames;

/// One socket's side of the protocol.
pub(super) struct Commands {
    hub: Hub,
    outbox: Arc<Outbox>,
    watched: Vec<Watched>,
    pace: DefaultDirectRateLimiter,
    touch_pace: Option<DefaultDirectRateLimiter>,
    touch_dropped: Option<Instant>,
}

struct Watched {
    short_id: ShortId,
    membership: Membership,
}

impl Watched {
    fn is(&self, name: UploadRef) -> bool {
        match name {
            UploadRef::Id(id) => self.membership.topic() == id,
            UploadRef::Short(short_id) => self.short_id == short_id,
        }
    }
}

impl Commands {
    pub(super) fn new(hub: Hub, outbox: Arc<Outbox>, limits: HubLimits) -> Self {
        Self {
            hub,
            outbox,
            watched: Vec::new(),
            pace: RateLimiter::direct(Quota::per_second(FRAMES_PER_SECOND)),
            touch_pace: NonZeroU32::new(limits.touches_per_second)
                .map(|rate| RateLimiter::direct(Quota::per_second(rate))),
            touch_dropped: None,
        }
    }

    /// Counts a frame of the client's, a command or not.
    pub(super) fn count_frame(&self) -> Result<(), TooManyFrames> {
        self.pace.check().map_err(|_| TooManyFrames)
    }

    /// Does a command; its answer, if it has one, goes through the outbox.
    pub(super) async fn run(&mut self, command: Result<ClientCommand, Refusal>) {
        let done = match command {
            Ok(ClientCommand::Watch { upload_id, after }) => self.watch(upload_id, after).await,
            Ok(ClientCommand::Unwatch { upload_id }) => self.unwatch(upload_id),
            Ok(ClientCommand::Touch { upload_id, at, tab }) => self.touch(upload_id, at, tab).await,
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = done {
            self.answer(encode(&ServerEvent::Refused(refusal)));
        }
    }

    /// Subscribes first and reads the head after that, so that no message falls between the two.
    async fn watch(&mut self, name: UploadRef, after: Option<Seq>) -> Result<(), Refusal> {
        let refused = |code| refusal(CommandName::Watch, name, code);
        let watched = self.watched.iter().find(|watched| watched.is(name));
        let (id, joined) = match watched {
            Some(watched) => (watched.membership.topic(), false),
            None => (self.join(name).await.map_err(refused)?, true),
        };
        match self.catch_up(id, after.unwrap_or_default()).await {
            Ok(frame) => {
                self.answer(frame);
                Ok(())
            }
            Err(error) => {
                // A refused command changes nothing: what was watched before it still is.
                if joined {
                    self.leave(UploadRef::Id(id));
                }
                Err(refused(code_of(error)))
            }
        }
    }

    async fn join(&mut self, name: UploadRef) -> Result<UploadId, RefusalCode> {
        if self.watched.len() >= MAX_WATCHED_UPLOADS {
            return Err(RefusalCode::TooManyWatched);
        }
        let upload = self.hub.0.store.upload(name).await.map_err(code_of)?;
        let membership = self
            .hub
            .subscribe(upload.id, Arc::clone(&self.outbox))
            .await
            .map_err(|_| RefusalCode::Unavailable)?;
        self.watched.push(Watched {
            short_id: upload.short_id,
            membership,
        });
        Ok(upload.id)
    }

    /// The `watched` frame: the head, and what the client lacks if that is little.
    async fn catch_up(&self, upload_id: UploadId, after: Seq) -> Result<Utf8Bytes, StoreError> {
        let page = self
            .hub
            .0
            .store
            .messages(upload_id, Select::After(after), MAX_BACKLOG_MESSAGES)
            .await?;
        let reaches_head = page
            .messages
            .last()
            .is_some_and(|message| message.seq == page.head);
        let messages = if reaches_head {
            page.messages
        } else {
            Vec::new()
        };
        let frame = encode(&ServerEvent::Watched {
            upload_id,
            head: page.head,
            messages,
        });
        if frame.len() <= MAX_BACKLOG_BYTES {
            return Ok(frame);
        }
        Ok(encode(&ServerEvent::Watched {
            upload_id,
            head: page.head,
            messages: Vec::new(),
        }))
    }

    fn unwatch(&mut self, name: UploadRef) -> Result<(), Refusal> {
        if self.leave(name) {
            Ok(())
        } else {
            Err(refusal(CommandName::Unwatch, name, RefusalCode::NotWatched))
        }
    }

    fn leave(&mut self, name: UploadRef) -> bool {
        let place = self.watched.iter().position(|watched| watched.is(name));
        if let Some(place) = place {
            self.hub
                .unsubscribe(self.watched.swap_remove(place).membership);
        }
        place.is_some()
    }

    async fn touch(&mut self, name: UploadRef, at: Point, tab: TabId) -> Result<(), Refusal> {
        let refused = |code| Err(refusal(CommandName::Touch, name, code));
        let Some(watched) = self.watched.iter().find(|watched| watched.is(name)) else {
            return refused(RefusalCode::NotWatched);
        };
        let topic = watched.membership.topic();
        if self
            .touch_pace
            .as_ref()
            .is_some_and(|pace| pace.check().is_err())
        {
            let told = self
                .touch_dropped
                .replace(Instant::now())
                .is_some_and(|last| last.elapsed() < CALM);
            return if told {
                Ok(())
            } else {
                refused(RefusalCode::TooManyTouches)
            };
        }
        let event = ServerEvent::Touched {
            upload_id: topic,
            points: vec![TouchPoint { at, tab }],
        };
        if let Err(error) = self.hub.emit(topic, &event).await {
            // Ripples are delivered at most once: nobody is owed this one.
            tracing::debug!(%error, "a touch was not published");
        }
        Ok(())
    }

    fn answer(&self, text: Utf8Bytes) {
        self.outbox.push(&Frame {
            class: DeliveryClass::Message,
            text,
        });
    }
}

impl Drop for Commands {
    /// However the socket ends, nothing of it stays in the rooms.
    fn drop(&mut self) {
        self.hub
            .unsubscribe_all(self.watched.drain(..).map(|watched| watched.membership));
    }
}

fn code_of(error: StoreError) -> RefusalCode {
    match error {
        StoreError::NotFound => RefusalCode::NotFound,
        StoreError::AlreadyExists | StoreError::Unavailable => RefusalCode::Unavailable,
    }
}

fn refusal(command: CommandName, name: UploadRef, code: RefusalCode) -> Refusal {
    let detail = match code {
        RefusalCode::NotFound => "There is no such upload.".to_owned(),
        RefusalCode::TooManyWatched => {
            format!("A socket watches at most {MAX_WATCHED_UPLOADS} uploads.")
        }
        RefusalCode::NotWatched => "This socket does not watch that upload.".to_owned(),
        RefusalCode::InvalidField => "A field is out of bounds.".to_owned(),
        RefusalCode::TooManyTouches => "Too many touches: slow down.".to_owned(),
        RefusalCode::Unavailable => {
            "This is not possible right now. Try again in a few seconds.".to_owned()
        }
    };
    Refusal {
        command,
        upload_id: name.to_string(),
        code,
        detail,
    }
}
