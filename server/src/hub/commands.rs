//! What a socket asks, done: `watch`, `unwatch` and `touch`.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use app::event::{
    ClientCommand, CommandName, MAX_WATCHED_UPLOADS, Refusal, RefusalCode, ServerEvent,
};
use app::model::{Point, Seq, TabId, TabTag, TouchPoint, UploadId, UploadRef};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::answers::Asked;
use super::batch::Batch;
use super::era::Era;
use super::frames::frame;
use super::metrics::ResyncedFrom;
use super::outbox::Outbox;
use super::recent::MAX_RECENT;
use super::refusal::refusal;
use super::rooms::Membership;
use super::topics::{Hub, HubLimits};
use crate::admission::misses::Misses;
use crate::broker::Topic;
use crate::store::{Select, StoreError};

/// Frames of any kind per socket and second, with bursts of as many. Well above what touches and watches need; a client
/// beyond it breaks the rules (1008).
const FRAMES_PER_SECOND: NonZeroU32 = NonZeroU32::new(200).expect("200 is not 0");
/// Watches per socket and second; more are dropped and refused, once. Each may be answered by 256 KiB.
const WATCHES_PER_SECOND: NonZeroU32 = NonZeroU32::new(10).expect("10 is not 0");
/// In bursts of so many: all that a socket may watch, twice.
const WATCH_BURST: NonZeroU32 = NonZeroU32::new(64).expect("64 is not 0");
/// A kind of command has calmed down when none was dropped for this long: the next dropped one is refused again.
const CALM: Duration = Duration::from_secs(1);

/// The client sends more frames than any use of the protocol needs.
pub(super) struct TooManyFrames;

/// How often a socket may send a kind of command.
struct Throttle {
    /// None when there is no limit.
    pace: Option<DefaultDirectRateLimiter>,
    last_dropped: Option<Instant>,
}

/// Whether a command is dropped.
enum Throttled {
    No,
    /// The first in a while: the client is told.
    First,
    /// One of many: refusals are frames too.
    Again,
}

impl Throttle {
    fn new(quota: Option<Quota>) -> Self {
        Self {
            pace: quota.map(RateLimiter::direct),
            last_dropped: None,
        }
    }

    fn check(&mut self) -> Throttled {
        if self.pace.as_ref().is_none_or(|pace| pace.check().is_ok()) {
            return Throttled::No;
        }
        match self.last_dropped.replace(Instant::now()) {
            Some(last) if last.elapsed() < CALM => Throttled::Again,
            _ => Throttled::First,
        }
    }
}

/// One socket's side of the protocol.
pub(super) struct Commands {
    hub: Hub,
    outbox: Arc<Outbox>,
    watched: Vec<Membership>,
    pace: DefaultDirectRateLimiter,
    watches: Throttle,
    touches: Throttle,
    misses: Misses,
    /// Of the last touch: most are of the same tab on the same upload.
    tag: Option<(Topic, TabId, TabTag)>,
}

impl Commands {
    pub(super) fn new(hub: Hub, outbox: Arc<Outbox>, limits: HubLimits, misses: Misses) -> Self {
        Self {
            hub,
            outbox,
            watched: Vec::new(),
            pace: RateLimiter::direct(Quota::per_second(FRAMES_PER_SECOND)),
            watches: Throttle::new(Some(
                Quota::per_second(WATCHES_PER_SECOND).allow_burst(WATCH_BURST),
            )),
            touches: Throttle::new(
                NonZeroU32::new(limits.touches_per_second).map(Quota::per_second),
            ),
            misses,
            tag: None,
        }
    }

    /// Counts a frame of the client's, a command or not.
    pub(super) fn count_frame(&self) -> Result<(), TooManyFrames> {
        self.pace.check().map_err(|_| TooManyFrames)
    }

    /// Does a command; its answer, if it has one, goes through the outbox.
    pub(super) async fn run(&mut self, command: Result<ClientCommand, Refusal>) {
        let done = match command {
            // Apart, so that a socket that only listens keeps no room for what a watch has to remember.
            Ok(ClientCommand::Watch { upload_id, after }) => {
                Box::pin(self.watch(upload_id, after)).await
            }
            Ok(ClientCommand::Unwatch { upload_id }) => self.unwatch(upload_id),
            Ok(ClientCommand::Touch { upload_id, at, tab }) => self.touch(upload_id, at, tab).await,
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = done {
            let refused = frame(&ServerEvent::Refused(refusal));
            self.outbox.answer(&Batch::from(&refused));
        }
    }

    /// Subscribes first and reads the head after that, so that no message falls between the two.
    async fn watch(&mut self, name: UploadRef, after: Option<Seq>) -> Result<(), Refusal> {
        let refused = |code| refusal(CommandName::Watch, name.to_string(), code);
        match self.watches.check() {
            Throttled::No => {}
            Throttled::First => return Err(refused(RefusalCode::TooManyWatches)),
            Throttled::Again => return Ok(()),
        }
        let era = self.hub.0.rooms.era();
        if !era.flows() {
            return Err(refused(RefusalCode::Unavailable));
        }
        let watched = self.watched.iter().find(|watched| watched.is_named(name));
        let (id, joined) = match watched {
            Some(watched) => (watched.topic(), false),
            None => (self.join(name).await.map_err(refused)?, true),
        };
        let done = match self.catch_up(id, after.unwrap_or_default(), era).await {
            Ok(answer) if self.hub.0.rooms.answer(id, era, &self.outbox, &answer) => return Ok(()),
            Ok(_) => RefusalCode::Unavailable,
            Err(error) => code_of(error),
        };
        // A refused command changes nothing: what was watched before it still is.
        if joined {
            self.leave(UploadRef::Id(id));
        }
        Err(refused(done))
    }

    async fn join(&mut self, name: UploadRef) -> Result<UploadId, RefusalCode> {
        if self.watched.len() >= MAX_WATCHED_UPLOADS {
            return Err(RefusalCode::TooManyWatched);
        }
        // Also before an upload that others watch is found, or the answer would tell that there is one.
        if self.misses.check(name).is_err() {
            return Err(RefusalCode::Unavailable);
        }
        let (id, short_id) = if let Some(found) = self.hub.0.rooms.find(name) {
            found
        } else {
            let upload = self.hub.0.store.upload(name).await.map_err(|error| {
                if error == StoreError::NotFound {
                    self.misses.count(name);
                }
                code_of(error)
            })?;
            (upload.id, upload.short_id)
        };
        let joined = self
            .hub
            .subscribe(id, short_id, Arc::clone(&self.outbox))
            .await;
        self.watched
            .push(joined.map_err(|_| RefusalCode::Unavailable)?);
        Ok(id)
    }

    /// The answer to a `watch`: the head, and what the client lacks if that is little. What this node knows costs no read,
    /// and those who ask the same share one frame.
    async fn catch_up(
        &self,
        upload: UploadId,
        after: Seq,
        era: Era,
    ) -> Result<Arc<Batch>, StoreError> {
        let Hub(hub) = &self.hub;
        if let Some(head) = hub.rooms.head_after(upload, after) {
            let asked = Asked {
                upload,
                after,
                head,
            };
            if let Some(answer) = hub.answers.get(&asked) {
                hub.metrics.resynced(ResyncedFrom::Memory);
                return Ok(answer);
            }
        }
        if let Some(page) = hub.rooms.recent(upload, after) {
            hub.metrics.resynced(ResyncedFrom::Memory);
            return Ok(hub.answers.of(upload, after, page));
        }
        let select = Select::After(after);
        let page = hub.store.messages(upload, select, MAX_RECENT).await?;
        hub.rooms.learn(upload, &page, era);
        hub.metrics.resynced(ResyncedFrom::Store);
        Ok(hub.answers.of(upload, after, page))
    }

    fn unwatch(&mut self, name: UploadRef) -> Result<(), Refusal> {
        if self.leave(name) {
            Ok(())
        } else {
            Err(refusal(
                CommandName::Unwatch,
                name.to_string(),
                RefusalCode::NotWatched,
            ))
        }
    }

    fn leave(&mut self, name: UploadRef) -> bool {
        let place = self
            .watched
            .iter()
            .position(|watched| watched.is_named(name));
        if let Some(place) = place {
            self.hub.unsubscribe(self.watched.swap_remove(place));
        }
        place.is_some()
    }

    async fn touch(&mut self, name: UploadRef, at: Point, tab: TabId) -> Result<(), Refusal> {
        let refused = |code| Err(refusal(CommandName::Touch, name.to_string(), code));
        let Some(watched) = self.watched.iter().find(|watched| watched.is_named(name)) else {
            return refused(RefusalCode::NotWatched);
        };
        let topic = watched.topic();
        match self.touches.check() {
            Throttled::No => {}
            Throttled::First => return refused(RefusalCode::TooManyTouches),
            Throttled::Again => return Ok(()),
        }
        let event = ServerEvent::Touched {
            upload_id: topic,
            points: vec![TouchPoint {
                at,
                tab: self.tag(topic, tab),
            }],
        };
        if let Err(error) = self.hub.emit(topic, &event).await {
            // Ripples are delivered at most once: nobody is owed this one.
            tracing::debug!(%error, "a touch was not published");
        }
        Ok(())
    }

    fn tag(&mut self, topic: Topic, tab: TabId) -> TabTag {
        match &self.tag {
            Some((of, by, tag)) if *of == topic && *by == tab => *tag,
            _ => {
                let tag = tab.tag(topic);
                self.tag = Some((topic, tab, tag));
                tag
            }
        }
    }
}

impl Drop for Commands {
    /// However the socket ends, nothing of it stays in the rooms.
    fn drop(&mut self) {
        self.hub.unsubscribe_all(self.watched.drain(..));
    }
}

fn code_of(error: StoreError) -> RefusalCode {
    match error {
        StoreError::NotFound => RefusalCode::NotFound,
        StoreError::AlreadyExists | StoreError::Unavailable | StoreError::Moved => {
            RefusalCode::Unavailable
        }
    }
}
