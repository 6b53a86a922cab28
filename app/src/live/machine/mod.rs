//! The state machine of a conversation. It does no input and output: time, random numbers and names are inputs, and the
//! driver's tasks are returned as effects.

mod deleting;
mod messages;
mod touches;

use super::backfill::Backfill;
use super::connection::{ConnectionEvent, Connector, Phase};
use super::conversation::Conversation;
use super::deletions::Deletions;
use super::effect::{Effect, Now, Timer};
use super::failure::ApiFailure;
use super::outbox::Outbox;
use super::ripples::Ripples;
use super::view::{
    Connection, Delivery, ListedEntry, ListedMessage, OlderMessages, Presence, Ripple, Segment,
};
use crate::event::{CommandName, Refusal, RefusalCode, ServerEvent};
use crate::model::{
    AuthorName, ClientMessageId, LogEntry, LogPage, Point, Seq, TabId, UploadId, UploadRef, Viewer,
};

/// An input of the state machine.
#[derive(Debug, Clone)]
pub enum Input {
    /// Something happened to the connection.
    Connection(ConnectionEvent),
    /// A frame from the server; `None` when this version does not know its type.
    Frame(Option<ServerEvent>),
    /// The answer to `Effect::FetchFrom`.
    Fetched(Result<LogPage, ApiFailure>),
    /// The answer to `Effect::FetchNewest`.
    FetchedNewest(Result<LogPage, ApiFailure>),
    /// The answer to `Effect::FetchUpTo`.
    FetchedOlder(Result<LogPage, ApiFailure>),
    /// The answer to `Effect::Post`.
    PostAnswered(ClientMessageId, Result<LogEntry, ApiFailure>),
    /// The reader wants a failed message posted again.
    Retry(ClientMessageId),
    /// The reader deletes a stored message, or tries to do so again.
    Delete(Seq),
    /// The reader undoes that.
    UndoDelete(Seq),
    /// The answer to `Effect::Delete`.
    DeleteAnswered(Seq, Result<(), ApiFailure>),
    /// The reader wants older messages.
    LoadOlder,
    /// The reader touches the image.
    Touch(Point),
    /// The reader draws a line on the image, to this point.
    DrawLine(Point),
    /// The line ends.
    EndLine,
    /// The animation of a ripple, or of its dot, has ended.
    EndRipple(u64),
    /// A part of a line has faded.
    EndSegment(u64),
    /// The reader has another alias.
    Rename(AuthorName),
    /// A timer expired.
    Timer(Timer),
}

/// Whether older messages are being loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Older {
    Idle,
    Loading,
    /// Being loaded since before the list started anew: the answer is ignored, and they are loaded again.
    Outdated,
    /// To be loaded once nothing is missing.
    Postponed,
    Failed,
}

/// What has changed since the last call of [`Machine::take_changes`].
#[expect(clippy::struct_excessive_bools, reason = "each is a change of its own")]
#[derive(Debug, Default)]
pub struct Changes {
    /// The listed entries, or the messages that are not stored yet.
    pub entries: bool,
    /// The list has started anew: the server has another history.
    pub restarted: bool,
    /// What is said of the delivery of stored messages.
    pub deliveries: bool,
    /// The ripples, or the lines.
    pub ripples: bool,
    /// The messages whose deletion can no longer be undone.
    pub deletions_sent: Vec<Seq>,
    /// The listed messages that were deleted.
    pub deleted: Vec<Seq>,
}

/// A live conversation.
#[derive(Debug)]
pub struct Machine {
    upload: UploadId,
    connector: Connector,
    conversation: Conversation,
    backfill: Backfill,
    outbox: Outbox,
    deletions: Deletions,
    ripples: Ripples,
    presence: Option<Presence>,
    older: Older,
    /// The number of messages of others that were listed, or skipped, since the connection was lost; `None` once
    /// nothing is missing.
    missed: Option<usize>,
    /// The number of missed messages, while it is shown.
    caught_up: Option<usize>,
    /// `Timer::Poll` runs.
    polling: bool,
    effects: Vec<Effect>,
    changes: Changes,
    /// The server was found to have another history: the list starts anew with its newest messages.
    is_contradicted: bool,
}

impl Machine {
    /// Starts with the messages that the page shows; does nothing before `ConnectionEvent::Mounted`. Messages with the
    /// tag of `me` are this browser's own.
    pub fn new(upload: UploadId, page: LogPage, tab: TabId, me: Viewer) -> Self {
        let mut connector = Connector::new(upload);
        connector.viewer = Some(me.clone());
        Self {
            upload,
            connector,
            conversation: Conversation::new(page, me.author),
            backfill: Backfill::default(),
            outbox: Outbox::default(),
            deletions: Deletions::default(),
            ripples: Ripples::new(upload, tab, me),
            presence: None,
            older: Older::Idle,
            missed: None,
            caught_up: None,
            polling: false,
            effects: Vec::new(),
            changes: Changes::default(),
            is_contradicted: false,
        }
    }

    /// The number of the first listed entry of the log, and the listed entries, oldest first and without gaps.
    pub fn listed(&self) -> (Seq, &[ListedEntry]) {
        (self.conversation.first(), self.conversation.listed())
    }

    /// The tab's own messages that are not listed with the stored ones yet, oldest first.
    pub fn unsent(&self) -> &[ListedMessage] {
        self.outbox.entries()
    }

    /// The ripples and dots, oldest first.
    pub fn ripples(&self) -> &[Ripple] {
        self.ripples.ripples()
    }

    /// The parts of lines, oldest first.
    pub fn segments(&self) -> &[Segment] {
        self.ripples.segments()
    }

    /// Who is here, once the server has said so.
    pub fn presence(&self) -> Option<&Presence> {
        self.presence.as_ref()
    }

    /// Whether older messages can be loaded.
    pub fn older(&self) -> OlderMessages {
        match self.older {
            _ if !self.conversation.has_older() => OlderMessages::Complete,
            Older::Idle => OlderMessages::More,
            Older::Loading | Older::Outdated | Older::Postponed => OlderMessages::Loading,
            Older::Failed => OlderMessages::Failed,
        }
    }

    /// The connection as the reader sees it.
    pub fn connection(&self) -> Connection {
        match (self.connector.phase(), self.caught_up) {
            (Phase::NotFound, _) => Connection::NotFound,
            (Phase::Gone, _) => Connection::Gone,
            (Phase::Connecting, _) => Connection::Connecting,
            (Phase::Offline, _) => Connection::Offline,
            (Phase::Delayed, _) => Connection::Delayed,
            (Phase::Live, Some(missed)) => Connection::CaughtUp { missed },
            (Phase::Live, None) if self.missed.is_none() => Connection::Live,
            (Phase::Live | Phase::Reconnecting, _) => Connection::Reconnecting,
        }
    }

    /// Whether messages of this tab are not stored yet, or failed.
    pub fn has_unsent(&self) -> bool {
        let mut entries = self.outbox.entries().iter();
        entries.any(|it| !matches!(it.delivery, Delivery::Sent))
    }

    /// Returns the effects since the last call.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Returns what has changed since the last call.
    pub fn take_changes(&mut self) -> Changes {
        Changes {
            deleted: self.conversation.take_deleted(),
            ..std::mem::take(&mut self.changes)
        }
    }

    /// Posts a new message, which is `Delivery::Sending`; false when too many are unsent.
    pub fn send(&mut self, entry: ListedMessage) -> bool {
        let accepted = self.outbox.push(entry);
        if accepted {
            self.changes.entries = true;
            self.post_next();
        }
        accepted
    }

    /// Takes the unsent messages of the tab's last document: those that are not listed are posted once the connection
    /// is there.
    pub fn restore(&mut self, unsent: impl Iterator<Item = ListedMessage>) {
        let listed = self.conversation.listed().iter();
        let listed: Vec<_> = listed.filter_map(|it| it.message.as_ref()).collect();
        let is_listed = |entry: &ListedMessage| listed.iter().any(|it| it.key == entry.key);
        let timer = self.outbox.restore(unsent.filter(|it| !is_listed(it)));
        self.changes.entries = true;
        self.effects.extend(timer);
    }

    /// Removes a message that was refused permanently, and returns it.
    pub fn withdraw(&mut self, key: &ClientMessageId) -> Option<ListedMessage> {
        let entry = self.outbox.withdraw(key);
        self.changes.entries |= entry.is_some();
        entry
    }

    /// Handles an input. Afterwards the effects and changes can be taken.
    pub fn handle(&mut self, input: Input, now: Now) {
        match input {
            Input::Connection(event) => self.on_connection_event(event, now),
            Input::Frame(event) => self.on_frame(event, now),
            Input::Fetched(answer) => self.on_fetched(answer, now),
            Input::FetchedNewest(answer) => self.on_fetched_newest(answer, now),
            Input::FetchedOlder(answer) => self.on_fetched_older(answer),
            Input::PostAnswered(key, answer) => self.on_post_answered(&key, answer, now),
            Input::Retry(key) => self.retry(&key),
            Input::Delete(seq) => self.delete(seq, now),
            Input::UndoDelete(seq) => self.undo_delete(seq),
            Input::DeleteAnswered(seq, answer) => self.on_delete_answered(seq, answer),
            Input::LoadOlder => self.load_older(),
            Input::Touch(at) => self.touch(at, now),
            Input::DrawLine(at) => self.draw_line(Some(at), now),
            Input::EndLine => self.draw_line(None, now),
            Input::EndRipple(id) => {
                self.ripples.end(id);
                self.changes.ripples = true;
            }
            Input::EndSegment(id) => {
                self.ripples.end_segment(id);
                self.changes.ripples = true;
            }
            Input::Rename(name) => self.rename(name),
            Input::Timer(timer) => self.on_timer(timer, now),
        }
        self.update_deliveries();
        self.start_backfill();
        self.resume_older();
        self.update_caught_up();
        self.update_polling(now);
    }

    fn on_connection_event(&mut self, event: ConnectionEvent, now: Now) {
        match event {
            ConnectionEvent::Online => self.backfill.resume(),
            ConnectionEvent::Hidden | ConnectionEvent::PageHidden => self.send_deletions(),
            ConnectionEvent::Unmounted => {
                self.send_deletions();
                self.ripples.clear();
                self.changes.ripples = true;
            }
            _ => {}
        }
        let effects = self.connector.handle(event, now, self.conversation.last());
        self.effects.extend(effects);
        if !matches!(self.connector.phase(), Phase::Connecting | Phase::Live)
            && self.missed.is_none()
        {
            self.missed = Some(0);
            self.caught_up = None;
            self.effects.push(Effect::Stop(Timer::HideCaughtUp));
        }
    }

    fn on_timer(&mut self, timer: Timer, now: Now) {
        match timer {
            Timer::Reconnect | Timer::Timeout | Timer::Idle | Timer::Rename => {
                self.on_connection_event(ConnectionEvent::Timer(timer), now);
            }
            Timer::Poll => self.on_poll_timer(),
            Timer::Backfill => self.backfill.resume(),
            Timer::HideCaughtUp => self.caught_up = None,
            Timer::Post => self.on_post_timer(),
            Timer::Delete => self.on_delete_timer(now),
        }
    }

    fn on_frame(&mut self, event: Option<ServerEvent>, now: Now) {
        self.on_connection_event(ConnectionEvent::FrameReceived, now);
        match event {
            Some(ServerEvent::Watched {
                upload_id,
                head,
                entries,
                reset,
            }) if upload_id == self.upload => {
                self.backfill.skip_grace();
                self.on_connection_event(ConnectionEvent::Watched, now);
                if reset {
                    self.restart(LogPage { entries, head });
                } else {
                    self.conversation.drop_buffered();
                    self.insert(entries, head);
                }
                let again = self.connector.announce_viewer(self.conversation.last());
                self.effects.extend(again);
                // The server is back: what failed for a while, and is not listed by now, is posted again.
                self.outbox.retry_all();
                self.changes.entries = true;
                self.post_next();
            }
            Some(ServerEvent::MessagePosted { upload_id, message }) if upload_id == self.upload => {
                self.on_connection_event(ConnectionEvent::UpdatesResumed, now);
                self.on_appended(message.into());
            }
            Some(ServerEvent::MessageDeleted { upload_id, entry }) if upload_id == self.upload => {
                self.on_connection_event(ConnectionEvent::UpdatesResumed, now);
                self.on_appended(LogEntry::Deletion(entry));
            }
            Some(ServerEvent::UploadDeleted { upload_id }) if upload_id == self.upload => {
                self.on_connection_event(ConnectionEvent::Refused(RefusalCode::Gone), now);
            }
            Some(ServerEvent::HeadAdvanced { upload_id, head }) if upload_id == self.upload => {
                self.on_connection_event(ConnectionEvent::UpdatesResumed, now);
                self.conversation.raise_head(head);
            }
            Some(ServerEvent::Touched { upload_id, points }) if upload_id == self.upload => {
                self.on_touched(points);
            }
            Some(ServerEvent::Presence {
                upload_id,
                count,
                people,
            }) if upload_id == self.upload => self.presence = Some(Presence { count, people }),
            Some(ServerEvent::Refused(refusal)) => self.on_refused(&refusal, now),
            _ => {}
        }
    }

    fn on_refused(&mut self, refusal: &Refusal, now: Now) {
        let is_ours = refusal.upload_id.parse() == Ok(UploadRef::Id(self.upload));
        // The refusal of a touch matters only when it shows that the upload is not watched.
        let matters =
            refusal.command == CommandName::Watch || refusal.code == RefusalCode::NotWatched;
        if is_ours && matters {
            self.on_connection_event(ConnectionEvent::Refused(refusal.code), now);
        }
    }
}
