use leptos::html::Div;
use leptos::prelude::*;

use super::anchor::{FOLLOWING_PX, anchor};
use crate::erased::effect;
use crate::live::{Live, OlderMessages};
use crate::model::{ClientMessageId, Seq};

/// Within this distance of the beginning, older messages are loaded.
const PREFETCH_PX: i32 = 240;

/// The scroll position in the conversation. The list is laid out in reverse (`column-reverse`): 0 is the newest message
/// and offsets are negative, so that the browser starts at the end and keeps its position when older ones are added.
#[derive(Clone, Copy)]
pub struct Scrolling {
    scroller: NodeRef<Div>,
    live: Live,
    /// How many new messages of others there are below.
    pub unseen: RwSignal<usize>,
    /// The last message when the reader left the end.
    seen: StoredValue<Seq>,
}

impl Scrolling {
    /// Scrolls to own new messages, and notes those of others.
    pub fn new(scroller: NodeRef<Div>, live: Live) -> Self {
        let scrolling = Self {
            scroller,
            live,
            unseen: RwSignal::new(0),
            seen: StoredValue::new(live.messages.range().1.previous()),
        };
        // The position from before another page was shown; or else the reader may have scrolled before hydration.
        effect(move || {
            let Some(scroller) = scroller.get() else {
                return;
            };
            match live.scroll_top.get_value() {
                0 => live.scroll_top.set_value(scroller.scroll_top()),
                top => scroller.set_scroll_top(top),
            }
        });
        let mut before: Option<Option<ClientMessageId>> = None;
        let mut last = Seq::ZERO;
        effect(move || {
            let newest = live.messages.newest.read();
            let key = newest.as_ref().map(|entry| entry.key.clone());
            let is_new = before.as_ref().is_some_and(|before| *before != key);
            // Where the newest one was deleted, the one before it is the newest again.
            let seq = newest.as_ref().map_or(Seq::ZERO, |entry| entry.seq);
            let is_later = seq == Seq::ZERO || seq > last;
            last = last.max(seq);
            match &*newest {
                Some(entry) if is_new && is_later && entry.mine => scrolling.to_newest(),
                Some(_) if is_new && !scrolling.at_newest() => {
                    let (count, _) = live.messages.others_after(scrolling.seen.get_value());
                    scrolling.unseen.set(count);
                }
                _ => scrolling.on_newest(),
            }
            before = Some(key);
        });
        anchor(scroller, live);
        scrolling
    }

    /// Scrolls to the newest message.
    pub fn to_newest(self) {
        self.on_newest();
        if let Some(scroller) = self.scroller.get_untracked() {
            scroller.set_scroll_top(0);
        }
    }

    /// The reader has seen all messages.
    fn on_newest(self) {
        let (_, next) = self.live.messages.range();
        self.seen.set_value(next.previous());
        if self.unseen.get_untracked() > 0 {
            self.unseen.set(0);
        }
    }

    /// Handles a scroll event.
    pub fn on_scroll(self) {
        if let Some(scroller) = self.scroller.get_untracked() {
            self.live.scroll_top.set_value(scroller.scroll_top());
        }
        if self.at_newest() {
            self.on_newest();
        }
        if self.near_oldest() && self.live.older.get_untracked() == OlderMessages::More {
            self.live.load_older();
        }
    }

    /// Uses the position of the last scroll event: reading the current one would make the browser lay out the list.
    fn at_newest(self) -> bool {
        self.live.scroll_top.get_value().abs() <= FOLLOWING_PX
    }

    fn near_oldest(self) -> bool {
        self.scroller.get_untracked().is_some_and(|scroller| {
            let above =
                scroller.scroll_height() - scroller.client_height() - scroller.scroll_top().abs();
            above <= PREFETCH_PX && scroller.scroll_top() != 0
        })
    }
}
