use leptos::prelude::*;

use crate::live::{History, Live};

/// The way to the messages before the oldest one listed, for those who do not scroll.
#[component]
pub fn Earlier(live: Live) -> impl IntoView {
    let label = move || match live.history.get() {
        History::More => "Earlier messages",
        History::Loading => "Loading earlier messages…",
        History::Failed => "Earlier messages could not be loaded. Try again",
        History::Complete => "",
    };
    view! {
        <button
            class="button earlier scripted"
            class:complete=move || live.history.get() == History::Complete
            r#type="button"
            on:click=move |_| live.load_older()
        >
            {label}
        </button>
    }
}
