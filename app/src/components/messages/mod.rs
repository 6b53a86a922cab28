//! The conversation: newest at the bottom, older ones on scrolling up.

mod avatar;
mod history;
mod item;
mod rows;
mod scroll;

use leptos::html::Div;
use leptos::prelude::*;

use crate::browser::Hydrated;
use crate::browser::clock::Zone;
use crate::live::{Entry, Live};
use history::Earlier;
use item::MessageItem;
use scroll::Scrolling;

/// All messages that are loaded. It starts, and stays, at the newest one until the reader scrolls up.
#[component]
pub fn MessageList(live: Live, on_edit: Callback<String>) -> impl IntoView {
    let hydrated = Hydrated::expect();
    let scroller = NodeRef::<Div>::new();
    let scrolling = Scrolling::follow(scroller, live);
    let rows = Memo::new(move |_| rows::rows(&live.entries.read(), Zone::of(hydrated)));
    let item = move |entry: Entry| {
        let key = entry.key.clone();
        let first = entry.clone();
        // A withdrawn message is looked up once more before its item goes.
        let row = Memo::new(move |before: Option<&rows::Row>| {
            let found = rows.read().get(&key).cloned();
            found
                .or_else(|| before.cloned())
                .unwrap_or_else(|| rows::row(None, &first, Zone::Utc))
        });
        view! { <MessageItem entry row hydrated live on_edit/> }
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
                on:scroll=move |_| scrolling.scrolled()
            >
                <div class="log-content">
                    <Earlier live/>
                    <Empty live/>
                    <For each=move || live.entries.get() key=|entry| entry.key.clone() children=item/>
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

/// What stands there before anyone wrote.
#[component]
fn Empty(live: Live) -> impl IntoView {
    let talk = move || !live.entries.read().is_empty();
    view! {
        <div class="empty" hidden=talk>
            <p class="empty-title">"Nobody has said anything yet"</p>
            <p>"Copy the link and send it to someone, or write the first line."</p>
        </div>
    }
}
