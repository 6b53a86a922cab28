use leptos::html::Button;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use crate::browser::focus;
use crate::erased::effect;
use crate::live::{Live, OlderMessages};
use crate::texts::texts;

/// Loads older messages, for those who do not scroll.
#[component]
pub fn LoadOlderButton(live: Live) -> impl IntoView {
    let complete = move || live.older.get() == OlderMessages::Complete;
    let label = move || label(live.older.get()).to_owned();
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

fn label(older: OlderMessages) -> &'static str {
    match older {
        OlderMessages::More => texts().earlier_messages,
        OlderMessages::Loading => texts().loading_earlier,
        OlderMessages::Failed => texts().earlier_failed,
        OlderMessages::Complete => "",
    }
}
