//! What happened while the tab was hidden: its title and icon tell how many messages came, and a line marks the first.

use std::time::Duration;

use leptos::prelude::*;
use web_sys::Element;

use crate::browser::ScopedTimeout;
use crate::erased::effect;
use crate::live::Live;
use crate::model::Seq;
use crate::texts::texts;

/// How long the line stays after the reader is back.
const MARK_DURATION: Duration = Duration::from_secs(30);
/// The class of the first new message, over which the style sheet draws the line with the word of `data-new`.
const FIRST_NEW: &str = "first-new";

/// Marks new messages, and returns how many of others came since the tab was hidden; 0 while it is visible.
pub fn count_unread(live: Live) -> RwSignal<usize> {
    let count = RwSignal::new(0);
    let mark_end = ScopedTimeout::new();
    // The last message when the tab was hidden, or opened in the background.
    let seen = StoredValue::new(live.messages.range().1.previous());
    effect(move || {
        let is_own = live.messages.newest.with(|newest| {
            let newest = newest.as_ref();
            newest.is_some_and(|entry| entry.mine)
        });
        if document().hidden() {
            count.set(live.messages.others_after(seen.get_value()).0);
        } else if is_own {
            remove_mark();
        }
    });
    effect(move || {
        let listener = window_event_listener_untyped("visibilitychange", move |_| {
            if document().hidden() {
                seen.set_value(live.messages.range().1.previous());
                return;
            }
            if let (_, Some(first)) = live.messages.others_after(seen.get_value()) {
                mark(first);
                mark_end.start(MARK_DURATION, remove_mark);
            }
            count.set(0);
        });
        on_cleanup(move || {
            listener.remove();
            show_icon(false);
        });
    });
    let has_new = Memo::new(move |_| count.get() > 0);
    effect(move || show_icon(has_new.get()));
    count
}

fn mark(first: Seq) {
    remove_mark();
    if let Some(message) = document().get_element_by_id(&format!("m{first}")) {
        // Fail only for invalid names.
        _ = message.set_attribute("data-new", texts().new);
        _ = message.class_list().add_1(FIRST_NEW);
    }
}

fn remove_mark() {
    if let Some(message) = find(".first-new") {
        // As above.
        _ = message.class_list().remove_1(FIRST_NEW);
    }
}

fn show_icon(has_new: bool) {
    if let Some(icon) = find("link[rel=icon]") {
        let href = if has_new {
            "/favicon-new.svg"
        } else {
            "/favicon.svg"
        };
        // Fails only for invalid names.
        _ = icon.set_attribute("href", href);
    }
}

fn find(selector: &str) -> Option<Element> {
    document().query_selector(selector).ok().flatten()
}
