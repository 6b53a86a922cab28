use leptos::prelude::*;

use crate::live::{History, Live};

/// Loads older messages, for those who do not scroll.
#[component]
pub fn LoadOlderButton(live: Live) -> impl IntoView {
    let complete = move || live.history.get() == History::Complete;
    let label = move || label(live.history.get()).to_owned();
    view! {
        <button
            class="button earlier scripted"
            r#type="button"
            hidden=complete
            on:click=move |_| live.load_older()
        >
            {label}
        </button>
    }
}

fn label(history: History) -> &'static str {
    match history {
        History::More => "Earlier messages",
        History::Loading => "Loading earlier messages…",
        History::Failed => "Earlier messages could not be loaded. Try again",
        History::Complete => "",
    }
}
