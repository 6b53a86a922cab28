//! What a person does at an upload: looks, talks, points, deletes, reconnects, and goes on.

use std::future::pending;
use std::time::Duration;

use app::event::{ClientCommand, RefusalCode, ServerEvent};
use app::model::{NewMessage, Point, StrokeId, UploadId, UploadRef, Viewer};
use rand::RngExt;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::{End, Person};
use crate::api::Failure;
use crate::board::Shared;
use crate::conversation::Conversation;
use crate::counters::GAPS;
use crate::socket::Socket;

/// Of so many who come, one loads the picture itself (the others have it, or see the page only).
const PEOPLE_PER_PICTURE: u32 = 3;
/// A line has so many points, as far apart in time as a node takes them.
const STROKE_POINTS: usize = 8;
const STROKE_PAUSE: Duration = Duration::from_millis(70);
/// How long the answer to `watch` may take.
const WATCH_TIMEOUT: Duration = Duration::from_secs(20);
/// A person remembers so many own messages that are not deleted.
const MAX_OWN: usize = 32;

/// What a person does at random times.
#[derive(Debug, Clone, Copy)]
enum Action {
    Write,
    Point,
    Delete,
    Reconnect,
    /// Goes on to another upload.
    Move,
}

impl Action {
    const ALL: [Self; 5] = [
        Self::Write,
        Self::Point,
        Self::Delete,
        Self::Reconnect,
        Self::Move,
    ];

    /// How often it is done in a stay of mean length.
    fn times(self) -> f64 {
        match self {
            Self::Write => 3.0,
            Self::Point => 12.0,
            Self::Delete => 0.5,
            Self::Reconnect | Self::Move => 0.3,
        }
    }
}

impl Person {
    /// Looks at an upload, and does there what people do.
    pub(super) async fn visit(
        &mut self,
        shared: &Shared,
        leave: &CancellationToken,
    ) -> Result<End, Failure> {
        let (id, short) = (shared.upload.id, shared.upload.short_id);
        self.api.view(&format!("/u/{short}")).await?;
        self.world.counters.count("pages");
        if self.rng.random_ratio(1, PEOPLE_PER_PICTURE) {
            self.look(shared).await?;
        }
        let page = self.api.newest(id).await?;
        let mut conversation = Conversation::open(&page)?;
        if self.socket.is_none() {
            self.socket = Some(Socket::open(self.world.node, self.address).await?);
        }
        self.watch(id, &mut conversation).await?;
        let mut next = Action::ALL.map(|action| (action, self.time_of(action)));
        loop {
            let nearest = next.iter_mut().min_by_key(|(_, at)| *at);
            let (action, at) = nearest.expect("there are five actions");
            tokio::select! {
                event = socket(&mut self.socket)?.next() => {
                    if let Some(event) = event? {
                        self.on_event(id, event, &mut conversation)?;
                    }
                }
                () = until(conversation.repair_at()) => {
                    self.world.counters.count(GAPS);
                    self.fetch(id, &mut conversation).await?;
                    conversation.check()?;
                }
                () = sleep_until(*at) => {
                    *at = self.time_of(*action);
                    conversation.check()?;
                    match action {
                        Action::Write => self.write(id).await?,
                        Action::Point => self.point(id).await?,
                        Action::Delete => self.delete(id).await?,
                        Action::Reconnect => self.reconnect(id, &mut conversation).await?,
                        Action::Move => {
                            let unwatch = ClientCommand::Unwatch { upload_id: UploadRef::Id(id) };
                            socket(&mut self.socket)?.send(&unwatch).await?;
                            return Ok(End::Moved);
                        }
                    }
                }
                () = sleep_until(self.leaves_at) => return Ok(End::Left),
                () = leave.cancelled() => return Ok(End::Left),
            }
        }
    }

    /// Loads the picture as the browser does: the width that fits, if there is one.
    async fn look(&mut self, shared: &Shared) -> Result<(), Failure> {
        let width = if self.rng.random() { 640 } else { 1280 };
        let url = &shared.upload.content.url;
        let mut widths = shared.upload.content.smaller_widths();
        let path = if widths.any(|it| it == width) {
            self.world.counters.count("smaller pictures");
            format!("{url}?w={width}")
        } else {
            self.world.counters.count("pictures");
            url.clone()
        };
        self.api.view(&path).await
    }

    async fn watch(
        &mut self,
        id: UploadId,
        conversation: &mut Conversation,
    ) -> Result<(), Failure> {
        let last = conversation.last();
        let watch = ClientCommand::Watch {
            upload_id: UploadRef::Id(id),
            after: Some(last.seq),
            after_id: last.id,
            viewer: Some(Viewer {
                author: Some(self.secret.tag(id)),
                name: Some(self.alias.clone()),
            }),
        };
        socket(&mut self.socket)?.send(&watch).await?;
        let deadline = Instant::now() + WATCH_TIMEOUT;
        while !conversation.is_watched() {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = timeout(left, socket(&mut self.socket)?.next()).await;
            let event = event.map_err(|_| "a watch is not answered".to_owned())??;
            match event {
                Some(ServerEvent::Watched {
                    upload_id,
                    head,
                    entries,
                    reset,
                }) if upload_id == id => {
                    if reset {
                        return Err("a watch was reset".to_owned().into());
                    }
                    if conversation.on_watched(head, &entries)? {
                        self.fetch(id, conversation).await?;
                    }
                }
                Some(event) => self.on_event(id, event, conversation)?,
                None => {}
            }
        }
        self.world.counters.count("watches");
        Ok(())
    }

    /// Fetches the entries after the last one.
    async fn fetch(
        &mut self,
        id: UploadId,
        conversation: &mut Conversation,
    ) -> Result<(), Failure> {
        loop {
            let page = self.api.after(id, conversation.last().seq).await?;
            self.world.counters.count("pages of entries fetched");
            if !conversation.on_page(&page)? {
                return Ok(());
            }
        }
    }

    fn on_event(
        &self,
        id: UploadId,
        event: ServerEvent,
        conversation: &mut Conversation,
    ) -> Result<(), Failure> {
        match event {
            ServerEvent::MessagePosted { upload_id, message } if upload_id == id => {
                self.world.counters.count("messages received");
                conversation.on_entry(message.seq, message.id)?;
            }
            ServerEvent::MessageDeleted { upload_id, entry } if upload_id == id => {
                conversation.on_entry(entry.seq, entry.id)?;
            }
            ServerEvent::HeadAdvanced { upload_id, head } if upload_id == id => {
                conversation.on_head(head);
            }
            ServerEvent::UploadDeleted { upload_id } if upload_id == id => {
                return Err(Failure::Gone);
            }
            ServerEvent::Touched { .. } => self.world.counters.count("frames of touches received"),
            ServerEvent::Presence { .. } => {
                self.world.counters.count("frames of presence received");
            }
            ServerEvent::Refused(refusal) if refusal.upload_id == id.to_string() => {
                return Err(match refusal.code {
                    // A touch may meet an upload that is being deleted.
                    RefusalCode::Gone | RefusalCode::NotWatched if !self.world.board.has(id) => {
                        Failure::Gone
                    }
                    _ => format!("refused: {refusal:?}").into(),
                });
            }
            // Of the upload that was looked at before.
            _ => {}
        }
        Ok(())
    }

    async fn write(&mut self, id: UploadId) -> Result<(), Failure> {
        self.written += 1;
        let words = self.rng.random_range(1..20);
        let text = format!("{} {}", self.written, "and so on ".repeat(words));
        let client_message_id = format!("{}-{}", self.number, self.written);
        let message = NewMessage {
            author_name: self.alias.clone(),
            content: text.parse().map_err(|error| format!("{error}"))?,
            client_message_id: client_message_id
                .parse()
                .map_err(|error| format!("{error}"))?,
            at: self.rng.random_ratio(1, 4).then(|| self.some_point()),
            author: None,
        };
        let entry = self.api.post(id, &message, &self.secret).await?;
        self.world.counters.count("messages");
        if self.own.len() < MAX_OWN {
            self.own.push((id, entry.seq(), entry.id()));
        }
        Ok(())
    }

    async fn delete(&mut self, id: UploadId) -> Result<(), Failure> {
        if let Some(place) = self.own.iter().position(|(upload, ..)| *upload == id) {
            let (_, seq, message) = self.own.swap_remove(place);
            self.api
                .delete_message(id, (seq, message), &self.secret)
                .await?;
            self.world.counters.count("deleted messages");
        }
        Ok(())
    }

    /// Touches the picture, or draws a line on it.
    async fn point(&mut self, id: UploadId) -> Result<(), Failure> {
        let is_stroke = self.rng.random_ratio(1, 10);
        let stroke: Option<StrokeId> = is_stroke.then(|| "line".parse().expect("it is short"));
        for number in 0..if is_stroke { STROKE_POINTS } else { 1 } {
            if number > 0 {
                sleep(STROKE_PAUSE).await;
            }
            let touch = ClientCommand::Touch {
                upload_id: UploadRef::Id(id),
                at: self.some_point(),
                tab: self.tab.clone(),
                author: Some(self.secret.tag(id)),
                name: Some(self.alias.clone()),
                stroke: stroke.clone(),
            };
            socket(&mut self.socket)?.send(&touch).await?;
            self.world.counters.count("touches");
        }
        Ok(())
    }

    async fn reconnect(
        &mut self,
        id: UploadId,
        conversation: &mut Conversation,
    ) -> Result<(), Failure> {
        if let Some(socket) = self.socket.take() {
            socket.end(self.rng.random()).await?;
        }
        self.socket = Some(Socket::open(self.world.node, self.address).await?);
        self.world.counters.count("reconnections");
        conversation.on_reconnect();
        self.watch(id, conversation).await
    }

    fn some_point(&mut self) -> Point {
        let (x, y) = (self.rng.random(), self.rng.random());
        Point::new(x, y).expect("these are fractions")
    }

    fn time_of(&mut self, action: Action) -> Instant {
        let pause = self.world.stay.div_f64(action.times());
        Instant::now() + pause.mul_f64(self.rng.random_range(0.1..1.9))
    }
}

/// Ends at this time; never if there is none.
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

fn socket(socket: &mut Option<Socket>) -> Result<&mut Socket, Failure> {
    socket
        .as_mut()
        .ok_or_else(|| "there is no socket".to_owned().into())
}
