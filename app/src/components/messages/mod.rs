//! The conversation: newest at the bottom, older ones on scrolling up.

mod address;
mod anchor;
mod chip;
mod deleting;
mod heading;
mod item;
mod load_older;
mod scroll;
mod text;

use leptos::ev::KeyboardEvent;
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use crate::browser::{Hydrated, focus, target};
use crate::components::announcement::{Announcement, Note};
use crate::components::avatar::display_name;
use crate::components::places::Places;
use crate::components::share::ShareLink;
use crate::erased::{ErasedFor, effect};
use crate::live::{Chunk, Live, Row};
use crate::model::ShortId;
use crate::texts::{counted, texts};
use address::{NOTE_DURATION, copy_link, follow_address};
use deleting::{delete_clicked, keep_focus};
use item::MessageItem;
use load_older::LoadOlderButton;
use scroll::Scrolling;

/// All messages that are loaded. It stays at the newest one until the reader scrolls up.
#[component]
pub fn MessageList(
    short_id: ShortId,
    live: Live,
    /// Whether this browser has shared the image.
    is_owner: ReadSignal<bool>,
    /// Gets the text of a message that is to be edited.
    on_edit: Callback<String>,
) -> impl IntoView {
    let hydrated = Hydrated::expect();
    let places = Places::expect();
    let scroller = NodeRef::<Div>::new();
    let scrolling = Scrolling::new(scroller, live);
    let item = move |row: Row| view! { <MessageItem row hydrated live places is_owner on_edit/> };
    let chunk = move |Chunk { rows, .. }: Chunk| {
        view! { <ErasedFor each=move || rows.get() key=|row| row.id children=item/> }
    };
    let unseen = move || scrolling.unseen.get() > 0;
    let newer = move || new_messages(scrolling.unseen.get()) + " ↓";
    let to_newest = move |_| {
        scrolling.to_newest();
        // The button disappears with the focus on it.
        if let Some(log) = scroller.get_untracked() {
            focus(&log);
        }
    };
    let announced = announce(live);
    let note = Note::new(NOTE_DURATION);
    follow_address(live, places, note);
    keep_focus(scroller, live);
    view! {
        <div class="log-frame">
            <div
                class="log"
                role="log"
                aria-label=texts().messages
                // Older messages that are loaded are none to announce.
                aria-live="off"
                tabindex="0"
                node_ref=scroller
                on:scroll=move |_| scrolling.on_scroll()
                on:click=move |ev| {
                    copy_link(&ev, note);
                    delete_clicked(&ev, live, announced);
                }
                on:keydown=move |ev| move_focus(&ev)
            >
                <div class="log-content">
                    <LoadOlderButton live/>
                    <Empty short_id live/>
                    <ErasedFor
                        each=move || live.messages.chunks.get()
                        key=|chunk| chunk.id
                        children=chunk
                    />
                </div>
            </div>
            <button
                class="button newer"
                class:shown=unseen
                r#type="button"
                on:click=to_newest
            >
                {newer}
            </button>
            <p class="visually-hidden" role="status">
                {announced.view()}
            </p>
            <p class="log-note" class:idle=move || !note.is_shown() role="status">
                {note.view()}
            </p>
        </div>
    }
}

/// What screen readers announce: the new messages of others.
fn announce(live: Live) -> Announcement {
    let announced = Announcement::new();
    let mut last = None;
    effect(move || {
        let newest = live.messages.newest.read();
        let before = last.replace(live.messages.range().1.previous());
        let Some((before, newest)) = before.zip(newest.as_ref().filter(|entry| !entry.mine)) else {
            return;
        };
        let message = [
            display_name(&newest.author_name),
            ": ",
            newest.content.as_str(),
        ]
        .concat();
        match live.messages.others_after(before).0 {
            0 => {}
            1 => announced.set(message),
            count => announced.set([&new_messages(count), ". ", &message].concat()),
        }
    });
    announced
}

fn new_messages(count: usize) -> String {
    let texts = texts();
    counted(count, texts.new_messages_one, texts.new_messages_other)
}

/// Up and Down lead from message to message, beginning with the newest one: they are not in the Tab order, only what is
/// in the focused one is.
fn move_focus(ev: &KeyboardEvent) {
    let is_up = ev.key() == "ArrowUp";
    let Some(from) = target(ev).filter(|_| is_up || ev.key() == "ArrowDown") else {
        return;
    };
    let next = |from: &Element| {
        if is_up {
            from.previous_element_sibling()
        } else {
            from.next_element_sibling()
        }
    };
    let is_message = |element: &Element| element.matches(".message").unwrap_or(false);
    let mut to = if is_message(&from) {
        next(&from)
    } else if is_up && from.matches(".log").unwrap_or(false) {
        let list = from.first_element_child();
        list.and_then(|list| list.last_element_child())
    } else {
        None
    };
    while let Some(element) = to {
        if is_message(&element) {
            ev.prevent_default();
            focus(element.unchecked_ref());
            return;
        }
        to = next(&element);
    }
}

/// Shown before the first message: the first task is to share the link.
#[component]
fn Empty(short_id: ShortId, live: Live) -> impl IntoView {
    let any = move || live.messages.newest.read().is_some();
    view! {
        <div class="empty" hidden=any>
            <p class="empty-title">{texts().share_this_picture}</p>
            <p>{texts().write_first_line}</p>
            <ShareLink short_id/>
        </div>
    }
}
