use leptos::html::Button;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use crate::browser::focus;
use crate::erased::effect;
use crate::live::{History, Live};
use crate::texts::texts;

/// Loads older messages, for those who do not scroll.
#[component]
pub fn LoadOlderButton(live: Live) -> impl IntoView {
    let complete = move || live.history.get() == History::Complete;
    let label = move || label(live.history.get()).to_owned();
    let button = NodeRef::<Button>::new();
    let is_hidden = RwSignal::new(untrack(complete));
    effect(move || {
        // The focus is moved before the button disappears, which takes it away.
        if let Some(button) = button.get().filter(|_| complete())
            && document().active_element().as_ref() == Some(button.unchecked_ref::<Element>())
            && let Ok(Some(log)) = button.closest(".log")
        {
            focus(log.unchecked_ref());
        }
        is_hidden.set(complete());
    });
    view! {
        <button
            class="button earlier scripted"
            r#type="button"
            node_ref=button
            hidden=move || is_hidden.get()
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
