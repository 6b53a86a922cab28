//! Where one writes: an alias, a field that grows, a button. Without scripts it is a plain form.

mod alias;
mod text_field;
mod writing;

use crate::browser::effect;
use leptos::ev::{Event, KeyboardEvent, SubmitEvent};
use leptos::prelude::*;

use crate::erased::{derive, handler};
use crate::live::Live;
use crate::model::{MAX_MESSAGE_CHARS, ShortId};
use alias::Alias;
use text_field::{remaining, sends};
use writing::Writing;

/// Sends what is written. `rewrite` brings the text of a message that is to be written anew.
#[component]
pub fn Composer(short_id: ShortId, live: Live, rewrite: RwSignal<Option<String>>) -> impl IntoView {
    let writing = Writing::start(short_id, live);
    effect(move || {
        if let Some(text) = rewrite.get() {
            writing.take_back(&text);
        }
    });
    let submit = move |ev: SubmitEvent| {
        ev.prevent_default();
        writing.send();
        writing.focus();
    };
    let keydown = move |ev: KeyboardEvent| {
        if sends(&ev) {
            ev.prevent_default();
            writing.send();
        }
    };
    let too_long = derive(move || writing.length.get() > MAX_MESSAGE_CHARS);
    let note = derive(move || {
        let problem = writing.problem.get();
        problem
            .or_else(|| remaining(writing.length.get()))
            .unwrap_or_default()
    });
    view! {
        <form
            class="composer"
            method="post"
            action=format!("/u/{short_id}/messages")
            on:submit:capture=handler(submit)
        >
            <Alias name=writing.name/>
            <div class="composer-box">
                <label class="visually-hidden" r#for="message">"Message"</label>
                <textarea
                    id="message"
                    name="content"
                    node_ref=writing.field
                    rows="1"
                    dir="auto"
                    required
                    autocomplete="off"
                    enterkeyhint="send"
                    placeholder="Say something…"
                    aria-describedby="message-note"
                    on:input:capture=handler(move |_: Event| writing.changed())
                    on:keydown:capture=handler(keydown)
                ></textarea>
                <button class="button primary" r#type="submit" disabled=too_long>
                    "Send"
                </button>
            </div>
            <p id="message-note" class="composer-note" role="status">
                {note}
            </p>
        </form>
    }
}
