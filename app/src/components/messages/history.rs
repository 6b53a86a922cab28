use leptos::prelude::*;

use crate::live::{History, Live};
use crate::texts::texts;

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
        History::More => texts().earlier_messages,
        History::Loading => texts().loading_earlier,
        History::Failed => texts().earlier_failed,
        History::Complete => "",
    }
}
