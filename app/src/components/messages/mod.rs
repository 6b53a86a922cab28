//! The conversation: newest at the bottom, older ones on scrolling up.

mod chip;
mod heading;
mod history;
mod item;
mod scroll;
mod text;

use leptos::html::Div;
use leptos::prelude::*;

use crate::browser::Hydrated;
use crate::components::places::Places;
use crate::erased::ErasedFor;
use crate::live::{Chunk, Live, Row};
use history::LoadOlderButton;
use item::MessageItem;
use scroll::Scrolling;

/// All messages that are loaded. It stays at the newest one until the reader scrolls up.
#[component]
pub fn MessageList(live: Live, on_edit: Callback<String>) -> impl IntoView {
    let hydrated = Hydrated::expect();
    let places = Places::expect();
    let scroller = NodeRef::<Div>::new();
    let scrolling = Scrolling::new(scroller, live);
    let item = move |row: Row| view! { <MessageItem row hydrated live places on_edit/> };
    let chunk = move |Chunk { rows, .. }: Chunk| {
        view! { <ErasedFor each=move || rows.get() key=|row| row.id children=item/> }
    };
    let unseen = move || scrolling.unseen.get();
    view! {
        <div class="log-frame">
            <div
                class="log"
                role="log"
                aria-label="Messages"
                aria-relevant="additions"
                tabindex="0"
                node_ref=scroller
                on:scroll=move |_| scrolling.on_scroll()
            >
                <div class="log-content">
                    <LoadOlderButton live/>
                    <Empty live/>
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
                on:click=move |_| scrolling.to_newest()
            >
                "New messages ↓"
            </button>
        </div>
    }
}

/// Shown before the first message.
#[component]
fn Empty(live: Live) -> impl IntoView {
    let any = move || live.messages.newest.read().is_some();
    view! {
        <div class="empty" hidden=any>
            <p class="empty-title">"Nobody has said anything yet"</p>
            <p>"Copy the link and send it to someone, or write the first line."</p>
        </div>
    }
}
