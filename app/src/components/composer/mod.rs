//! The form for a message: an alias, a field that grows with its text, a button. It works without scripts.

mod alias;
mod draft;
mod place_chip;
mod text_field;

use leptos::ev::{Event, KeyboardEvent, SubmitEvent};
use leptos::prelude::*;

use crate::erased::effect;
use crate::live::Live;
use crate::model::{MAX_MESSAGE_CHARS, ShortId};
use crate::texts::texts;
use alias::AliasChip;
use draft::Draft;
use place_chip::PlaceChip;
use text_field::{is_send_key, length_note};

/// The form for a message. `text_to_edit` receives the text of a message that was refused and is to be edited.
#[component]
pub fn Composer(
    short_id: ShortId,
    live: Live,
    text_to_edit: RwSignal<Option<String>>,
) -> impl IntoView {
    let draft = Draft::new(short_id, live);
    effect(move || {
        if let Some(text) = text_to_edit.get() {
            draft.prepend(&text);
        }
    });
    let submit = move |ev: SubmitEvent| {
        ev.prevent_default();
        draft.focus();
        draft.send();
    };
    let keydown = move |ev: KeyboardEvent| {
        if is_send_key(&ev) {
            ev.prevent_default();
            draft.send();
        }
    };
    let placeholder = move || {
        if draft.places.chosen.get().is_some() {
            texts().say_something_here
        } else {
            texts().say_something
        }
    };
    let too_long = move || draft.length.get() > MAX_MESSAGE_CHARS;
    let note = move || {
        let problem = draft.problem.get();
        problem
            .or_else(|| length_note(draft.length.get()))
            .unwrap_or_default()
    };
    view! {
        <form
            class="composer"
            method="post"
            action=format!("/u/{short_id}/messages")
            on:submit=submit
        >
            <div class="composer-head">
                <AliasChip alias=draft.alias live/>
                <PlaceChip/>
            </div>
            <div class="composer-box">
                <label class="visually-hidden" r#for="message">{texts().message}</label>
                <textarea
                    id="message"
                    name="content"
                    node_ref=draft.field
                    rows="1"
                    dir="auto"
                    required
                    autocomplete="off"
                    placeholder=placeholder
                    aria-describedby="message-note"
                    on:input=move |_: Event| draft.on_change()
                    on:keydown=keydown
                ></textarea>
                <button class="button send" r#type="submit" disabled=too_long>
                    {texts().send}
                </button>
            </div>
            <p id="message-note" class="composer-note" role="status">
                {note}
            </p>
        </form>
    }
}
