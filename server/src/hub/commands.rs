//! Executes the commands of a socket: `watch`, `unwatch` and `touch`.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use app::event::{
    ClientCommand, CommandName, MAX_WATCHED_UPLOADS, Refusal, RefusalCode, ServerEvent,
};
use app::model::{Cursor, LogPage, TabId, TabTag, TouchPoint, UploadId, UploadRef, Viewer};
use governor::Quota;
use tokio::time::sleep;

use super::answer_cache::AnswerKey;
use super::batch::Batch;
use super::frames::encode;
use super::handle::{Hub, HubLimits};
use super::metrics::ResyncedFrom;
use super::outbox::Outbox;
use super::recent::MAX_RECENT;
use super::refusals::refusal;
use super::rooms::{Membership, WatchedUpload};
use super::throttle::{Throttle, ThrottleResult};
use crate::admission::misses::ClientMisses;
use crate::clock::{TimerRateLimiter, rate_limiter};
use crate::store::{Select, StoreError};

/// Frames of any kind per socket and second, with bursts of the same size: well above what touches and watches need. A
/// socket that exceeds it is closed with 1008.
const FRAMES_PER_SECOND: NonZeroU32 = NonZeroU32::new(200).expect("200 is not 0");
/// Watches per socket and second; more are dropped, and refused once. An answer can have 256 KiB.
const WATCHES_PER_SECOND: NonZeroU32 = NonZeroU32::new(10).expect("10 is not 0");
/// The burst of watches: twice as many as a socket may watch.
const WATCH_BURST: NonZeroU32 = NonZeroU32::new(64).expect("64 is not 0");
/// How often the store is asked again before it contradicts a client that has more messages: after a failover a read
/// may miss the newest ones for a moment.
const CONFIRMATIONS: usize = 4;
/// The pause before each of these reads. With all of them the answer comes well within the ten seconds for which the
/// client waits.
const CONFIRMATION_DELAY: Duration = Duration::from_millis(500);

/// The client has exceeded [`FRAMES_PER_SECOND`].
pub(super) struct TooManyFrames;

/// The state of one socket in the protocol.
pub(super) struct Commands {
    hub: Hub,
    outbox: Arc<Outbox>,
    watched: Vec<Membership>,
    frames: TimerRateLimiter,
    watches: Throttle,
    touches: Throttle,
    misses: ClientMisses,
    /// The tag of the last touch, because most touches are of the same tab on the same upload.
    tag: Option<(UploadId, TabId, TabTag)>,
}

impl Commands {
    pub(super) fn new(
        hub: Hub,
        outbox: Arc<Outbox>,
        limits: HubLimits,
        misses: ClientMisses,
    ) -> Self {
        Self {
            hub,
            outbox,
            watched: Vec::new(),
            frames: rate_limiter(Quota::per_second(FRAMES_PER_SECOND)),
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

    /// Counts a frame of any kind from the client.
    pub(super) fn count_frame(&self) -> Result<(), TooManyFrames> {
        self.frames.check().map_err(|_| TooManyFrames)
    }

    /// Executes a command, and puts its answer, if it has one, into the outbox.
    pub(super) async fn execute(&mut self, command: Result<ClientCommand, Refusal>) {
        let result = match command {
            // Boxed, so that the future of an idle socket stays small.
            Ok(ClientCommand::Watch {
                upload_id,
                after,
                after_id,
                viewer,
            }) => {
                let cursor = Cursor {
                    seq: after.unwrap_or_default(),
                    id: after_id,
                };
                Box::pin(self.watch(upload_id, cursor, viewer)).await
            }
            Ok(ClientCommand::Unwatch { upload_id }) => self.unwatch(upload_id),
            Ok(ClientCommand::Touch {
                upload_id,
                at,
                tab,
                author,
                name,
                stroke,
            }) => {
                let with_tag = |tab| TouchPoint {
                    at,
                    tab,
                    author,
                    name,
                    stroke,
                };
                self.touch(upload_id, tab, with_tag).await
            }
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = result {
            let refused = encode(&ServerEvent::Refused(refusal));
            self.outbox.answer(&Batch::from(&refused));
        }
    }

    /// Subscribes before it reads the head, so that no message is missed in between.
    async fn watch(
        &mut self,
        upload: UploadRef,
        cursor: Cursor,
        viewer: Option<Viewer>,
    ) -> Result<(), Refusal> {
        let refused = |code| refusal(CommandName::Watch, upload.to_string(), code);
        match self.watches.check() {
            ThrottleResult::Allowed => {}
            ThrottleResult::FirstDropped => return Err(refused(RefusalCode::TooManyWatches)),
            ThrottleResult::Dropped => return Ok(()),
        }
        let epoch = self.hub.0.rooms.epoch();
        if !epoch.is_connected() {
            return Err(refused(RefusalCode::Unavailable));
        }
        let watched = self.watched.iter().find(|watched| watched.is_of(upload));
        let (id, joined) = match watched {
            Some(watched) => (watched.topic(), false),
            None => (self.join(upload).await.map_err(refused)?, true),
        };
        let code = match self.backlog(id, cursor).await {
            Ok(answer) if self.hub.0.rooms.answer(id, epoch, &self.outbox, &answer) => {
                if let Some(watched) = self.watched.iter().find(|it| it.topic() == id) {
                    self.hub.0.rooms.on_watched(watched, viewer);
                }
                return Ok(());
            }
            Ok(_) => RefusalCode::Unavailable,
            Err(error) => refusal_code(error),
        };
        // A refused command changes nothing, so an earlier watch is kept.
        if joined {
            self.leave(UploadRef::Id(id));
        }
        Err(refused(code))
    }

    async fn join(&mut self, upload: UploadRef) -> Result<UploadId, RefusalCode> {
        if self.watched.len() >= MAX_WATCHED_UPLOADS {
            return Err(RefusalCode::TooManyWatched);
        }
        // Checked first, or the answer would reveal that there is an upload that others watch.
        if self.misses.check(upload).is_err() {
            return Err(RefusalCode::Unavailable);
        }
        let upload = if let Some(found) = self.hub.0.rooms.find(upload) {
            found
        } else {
            let found = self.hub.0.store.upload(upload).await.map_err(|error| {
                if error == StoreError::NotFound {
                    self.misses.record(upload);
                }
                refusal_code(error)
            })?;
            WatchedUpload::from(&found)
        };
        let joined = self.hub.subscribe(upload, Arc::clone(&self.outbox)).await;
        self.watched
            .push(joined.map_err(|_| RefusalCode::Unavailable)?);
        Ok(upload.topic)
    }

    /// Returns the answer to a `watch`: the head, and the messages after the cursor if they are few. Messages that this
    /// node knows cost no read, and equal answers share one frame.
    async fn backlog(&self, upload: UploadId, cursor: Cursor) -> Result<Arc<Batch>, StoreError> {
        let Hub(hub) = &self.hub;
        if let Some(head) = hub.rooms.head_for_answer(upload, cursor) {
            let key = AnswerKey {
                upload,
                cursor: Some(cursor),
                head,
            };
            if let Some(answer) = hub.answer_cache.get(&key) {
                hub.metrics.resynced(ResyncedFrom::Memory);
                return Ok(answer);
            }
        }
        if let Some(page) = hub.rooms.recent(upload, cursor) {
            hub.metrics.resynced(ResyncedFrom::Memory);
            return Ok(hub.answer_cache.get_or_encode(upload, cursor, page));
        }
        hub.metrics.resynced(ResyncedFrom::Store);
        let Some(id) = cursor.id else {
            let select = Select::After(cursor.seq);
            let page = self.read(upload, select, MAX_RECENT).await?;
            return Ok(hub.answer_cache.get_or_encode(upload, cursor, page));
        };
        // The same read brings the client's last message and those after it.
        let select = Select::After(cursor.seq.previous());
        let mut page = self.read(upload, select, MAX_RECENT + 1).await?;
        for _ in 0..CONFIRMATIONS {
            if page.head >= cursor.seq {
                break;
            }
            sleep(CONFIRMATION_DELAY).await;
            page = self.read(upload, select, MAX_RECENT + 1).await?;
        }
        let first = page.entries.first();
        if first.is_some_and(|first| first.seq() == cursor.seq && first.id() == id) {
            page.entries.remove(0);
            return Ok(hub.answer_cache.get_or_encode(upload, cursor, page));
        }
        if let Some(answer) = hub.answer_cache.get_reset(upload, cursor, page.head) {
            return Ok(answer);
        }
        let newest = self.read(upload, Select::Newest, MAX_RECENT).await?;
        Ok(hub.answer_cache.encode_reset(upload, newest))
    }

    /// Reads entries from the store; concurrent equal reads share one call.
    async fn read(
        &self,
        upload: UploadId,
        select: Select,
        limit: usize,
    ) -> Result<LogPage, StoreError> {
        let begun = self.hub.0.rooms.begin_read(upload);
        let page = self.hub.0.store.entries(upload, select, limit).await?;
        if let Some(begun) = begun {
            self.hub.merge_page(upload, &page, begun);
        }
        Ok(page)
    }

    fn unwatch(&mut self, upload: UploadRef) -> Result<(), Refusal> {
        if self.leave(upload) {
            Ok(())
        } else {
            Err(refusal(
                CommandName::Unwatch,
                upload.to_string(),
                RefusalCode::NotWatched,
            ))
        }
    }

    fn leave(&mut self, upload: UploadRef) -> bool {
        let index = self
            .watched
            .iter()
            .position(|watched| watched.is_of(upload));
        if let Some(index) = index {
            self.hub.unsubscribe(self.watched.swap_remove(index));
        }
        index.is_some()
    }

    async fn touch(
        &mut self,
        upload: UploadRef,
        tab: TabId,
        with_tag: impl FnOnce(TabTag) -> TouchPoint,
    ) -> Result<(), Refusal> {
        let refused = |code| Err(refusal(CommandName::Touch, upload.to_string(), code));
        let Some(watched) = self.watched.iter().find(|watched| watched.is_of(upload)) else {
            return refused(RefusalCode::NotWatched);
        };
        let topic = watched.topic();
        match self.touches.check() {
            ThrottleResult::Allowed => {}
            ThrottleResult::FirstDropped => return refused(RefusalCode::TooManyTouches),
            ThrottleResult::Dropped => return Ok(()),
        }
        let event = ServerEvent::Touched {
            upload_id: topic,
            points: vec![with_tag(self.tag(topic, tab))],
        };
        if let Err(error) = self.hub.publish(topic, &event).await {
            // Touches are delivered at most once.
            tracing::debug!(%error, "a touch was not published");
        }
        Ok(())
    }

    fn tag(&mut self, topic: UploadId, tab: TabId) -> TabTag {
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
    /// Leaves all rooms, however the socket ends.
    fn drop(&mut self) {
        self.hub.unsubscribe_all(self.watched.drain(..));
    }
}

fn refusal_code(error: StoreError) -> RefusalCode {
    match error {
        StoreError::NotFound => RefusalCode::NotFound,
        StoreError::Gone => RefusalCode::Gone,
        StoreError::Forbidden
        | StoreError::AlreadyExists
        | StoreError::Unavailable
        | StoreError::Moved => RefusalCode::Unavailable,
    }
}
