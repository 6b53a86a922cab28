//! What a conversation does with everything that happens to it. Pure: time, chance and names come as inputs, and
//! what is to be done comes out as effects.

mod messages;

use super::conversation::Conversation;
use super::effect::{Effect, Now, Timer};
use super::failure::ApiFailure;
use super::fetching::Fetching;
use super::line::{Line, LineEvent, Phase};
use super::outbox::Outbox;
use super::touches::Touches;
use super::{Connection, Entry, History, Ripple};
use crate::event::{ClientCommand, CommandName, Refusal, RefusalCode, ServerEvent};
use crate::model::{
    ClientMessageId, Message, MessagePage, MessageText, Point, Seq, TabId, TouchPoint, UploadId,
    UploadRef,
};

/// What happens to a conversation.
#[derive(Debug, Clone)]
pub enum Input {
    /// To the line.
    Line(LineEvent),
    /// A frame from the server; `None` when this version does not know it.
    Frame(Option<ServerEvent>),
    /// The answer to `Effect::FetchAfter`.
    Fetched(Result<MessagePage, ApiFailure>),
    /// The answer to `Effect::FetchBefore`.
    FetchedOlder(Result<MessagePage, ApiFailure>),
    /// The answer to `Effect::Post`.
    Answered(ClientMessageId, Result<Message, ApiFailure>),
    /// The reader wants a failed message posted again.
    Retry(ClientMessageId),
    /// The reader wants older messages.
    LoadOlder,
    /// The reader taps the image.
    Tap(Point),
    /// A ripple has faded.
    FinishRipple(u64),
    /// Names of this tab's messages from before it was reloaded.
    KnowOwn(Vec<ClientMessageId>),
}

/// Where the loading of older messages stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Older {
    Idle,
    Loading,
    Failed,
}

/// A live conversation.
#[derive(Debug)]
pub struct Machine {
    upload: UploadId,
    line: Line,
    conversation: Conversation,
    fetching: Fetching,
    outbox: Outbox,
    touches: Touches,
    older: Older,
    /// How many messages of others were listed since the line was lost, until everything is there again.
    missed: Option<usize>,
    /// What `missed` came to, while that is shown.
    caught_up: Option<usize>,
    /// `Timer::Poll` runs.
    polling: bool,
    effects: Vec<Effect>,
    entries_changed: bool,
    ripples_changed: bool,
}

impl Machine {
    /// Starts with what the page shows; nothing happens before `LineEvent::Start`.
    pub fn new(upload: UploadId, page: MessagePage, tab: TabId) -> Self {
        Self {
            upload,
            line: Line::new(upload),
            conversation: Conversation::new(page),
            fetching: Fetching::default(),
            outbox: Outbox::default(),
            touches: Touches::new(upload, tab),
            older: Older::Idle,
            missed: None,
            caught_up: None,
            polling: false,
            effects: Vec::new(),
            entries_changed: false,
            ripples_changed: false,
        }
    }

    /// The messages, oldest first: stored ones, then one's own that are not listed with them yet.
    pub fn entries(&self) -> Vec<Entry> {
        let unsent = self.outbox.entries().iter();
        self.conversation
            .listed()
            .iter()
            .chain(unsent)
            .cloned()
            .collect()
    }

    /// The stored ones among the messages, oldest first, and the number of the first: they are numbered without holes.
    pub fn listed(&self) -> (Seq, &[Entry]) {
        (self.conversation.first(), self.conversation.listed())
    }

    /// The ripples, oldest first.
    pub fn ripples(&self) -> &[Ripple] {
        self.touches.ripples()
    }

    /// Whether older messages can be loaded.
    pub fn history(&self) -> History {
        match self.older {
            _ if !self.conversation.has_older() => History::Complete,
            Older::Idle => History::More,
            Older::Loading => History::Loading,
            Older::Failed => History::Failed,
        }
    }

    /// The line as the reader is told of it.
    pub fn connection(&self) -> Connection {
        match (self.line.phase(), self.caught_up) {
            (Phase::Connecting, _) => Connection::Connecting,
            (Phase::Offline, _) => Connection::Offline,
            (Phase::Delayed, _) => Connection::Delayed,
            (Phase::Live, Some(missed)) => Connection::CaughtUp { missed },
            (Phase::Live, None) if self.missed.is_none() => Connection::Live,
            (Phase::Live | Phase::Reconnecting, _) => Connection::Reconnecting,
        }
    }

    /// Whether one's own messages are on their way, or failed.
    pub fn has_unsent(&self) -> bool {
        !self.outbox.entries().is_empty()
    }

    /// What the driver is to do, once.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Whether the entries and the ripples changed since the last call.
    pub fn take_changes(&mut self) -> (bool, bool) {
        (
            std::mem::take(&mut self.entries_changed),
            std::mem::take(&mut self.ripples_changed),
        )
    }

    /// Takes one's own new message, as `Delivery::Sending`; false when too many are unsent.
    pub fn send(&mut self, entry: Entry) -> bool {
        let key = entry.key.clone();
        let taken = self.outbox.push(entry);
        if taken {
            self.know_own([key]);
            let own: Vec<&str> = self
                .conversation
                .own()
                .iter()
                .map(ClientMessageId::as_str)
                .collect();
            self.effects.push(Effect::Remember(own.join(" ")));
            self.post_next();
        }
        taken
    }

    /// Takes a failed message off the list.
    pub fn withdraw(&mut self, key: &ClientMessageId) -> Option<MessageText> {
        let text = self.outbox.withdraw(key);
        self.entries_changed |= text.is_some();
        text
    }

    /// Decides what an input changes and what is to be done.
    pub fn handle(&mut self, input: Input, now: Now) {
        match input {
            Input::Line(event) => self.line_event(event, now),
            Input::Frame(event) => self.frame(event, now),
            Input::Fetched(answer) => self.fetched(answer, now),
            Input::FetchedOlder(answer) => self.fetched_older(answer),
            Input::Answered(key, answer) => self.answered(&key, answer),
            Input::Retry(key) => self.retry(&key),
            Input::LoadOlder => self.load_older(),
            Input::Tap(at) => self.tap(at, now),
            Input::FinishRipple(id) => {
                self.touches.finish(id);
                self.ripples_changed = true;
            }
            Input::KnowOwn(keys) => self.know_own(keys),
        }
        self.pull();
        self.settle();
        self.keep_polling(now);
    }

    fn line_event(&mut self, event: LineEvent, now: Now) {
        match event {
            LineEvent::Timer(Timer::Refetch) | LineEvent::Online => self.fetching.rested(),
            LineEvent::Timer(Timer::Settle) => self.caught_up = None,
            LineEvent::Timer(Timer::Poll) => self.poll(),
            _ => {}
        }
        let effects = self.line.handle(event, now, self.conversation.cursor());
        self.effects.extend(effects);
        if !matches!(self.line.phase(), Phase::Connecting | Phase::Live) && self.missed.is_none() {
            self.missed = Some(0);
            self.caught_up = None;
            self.effects.push(Effect::Stop(Timer::Settle));
        }
    }

    fn frame(&mut self, event: Option<ServerEvent>, now: Now) {
        self.line_event(LineEvent::Heard, now);
        match event {
            Some(ServerEvent::Watched {
                upload_id,
                head,
                messages,
            }) if upload_id == self.upload => {
                self.fetching.hurry();
                self.line_event(LineEvent::Watched, now);
                self.offer(messages, head);
                // The server is there: what failed in passing, and has not turned up by now, is sent again.
                self.outbox.retry_all();
                self.entries_changed = true;
                self.post_next();
            }
            Some(ServerEvent::MessagePosted { upload_id, message }) if upload_id == self.upload => {
                self.line_event(LineEvent::Flows, now);
                self.offer(vec![message], Seq::ZERO);
            }
            Some(ServerEvent::HeadAdvanced { upload_id, head }) if upload_id == self.upload => {
                self.line_event(LineEvent::Flows, now);
                self.conversation.learn_head(head);
            }
            Some(ServerEvent::Touched { upload_id, points }) if upload_id == self.upload => {
                self.touched(points);
            }
            Some(ServerEvent::Refused(refusal)) => self.refused(&refusal, now),
            _ => {}
        }
    }

    fn refused(&mut self, refusal: &Refusal, now: Now) {
        // Of a refused touch, only that it was not watched says something about the line.
        if refusal.command == CommandName::Watch || refusal.code == RefusalCode::NotWatched {
            self.line_event(LineEvent::Refused(refusal.code), now);
        }
    }

    fn touched(&mut self, points: Vec<TouchPoint>) {
        // Out of view nothing is animated: the ripples would all start when the tab comes back.
        if self.line.is_visible() {
            self.touches.touched(points);
            self.ripples_changed = true;
        }
    }

    fn tap(&mut self, at: Point, now: Now) {
        let Some(at) = self.touches.tap(at, now) else {
            return;
        };
        self.ripples_changed = true;
        if self.line.phase() == Phase::Live {
            self.effects.push(Effect::Send(ClientCommand::Touch {
                upload_id: UploadRef::Id(self.upload),
                at,
                tab: self.touches.tab().clone(),
            }));
        }
    }
}
