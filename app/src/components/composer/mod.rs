//! Where one writes: an alias, a field that grows, a button. Without scripts it is a plain form.

mod alias;
mod text_field;

use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::html::Textarea;
use leptos::prelude::*;

use crate::browser::storage::{self, Keep};
use crate::live::Live;
use crate::model::{AuthorName, MAX_MESSAGE_CHARS, MessageText, ShortId, TextError};
use alias::Alias;
use text_field::{fit, join, remaining, sends, set_text};

/// Sends what is written. `rewrite` brings the text of a message that is to be written anew.
#[component]
pub fn Composer(
    short_id: ShortId,
    live: Live,
    rewrite: ReadSignal<Option<String>>,
) -> impl IntoView {
    let draft = StoredValue::new(format!("tonesa.draft.{short_id}"));
    let name = RwSignal::new(AuthorName::default());
    let field = NodeRef::<Textarea>::new();
    let (length, set_length) = signal(0);
    let (problem, set_problem) = signal(None::<String>);
    let changed = move || {
        if let Some(field) = field.get_untracked() {
            let text = field.value();
            set_problem.set(None);
            set_length.set(text.trim().chars().count());
            draft.with_value(|draft| storage::write(Keep::Session, draft, &text));
        }
    };
    // What was typed before hydration stays; else the draft of before a reload comes back.
    Effect::new(move || {
        let kept = draft.with_value(|draft| storage::read(Keep::Session, draft));
        if let Some(field) = field.get().filter(|field| field.value().is_empty()) {
            set_text(&field, &kept.unwrap_or_default());
        }
        changed();
    });
    Effect::new(move || {
        if let (Some(text), Some(field)) = (rewrite.get(), field.get_untracked()) {
            set_text(&field, &join(&text, &field.value()));
            _ = field.focus();
            changed();
        }
    });
    let send = move || {
        let Some(field) = field.get_untracked() else {
            return;
        };
        match field.value().parse::<MessageText>() {
            Ok(text) => {
                live.send(name.get_untracked(), text);
                set_text(&field, "");
                changed();
            }
            // There is nothing to say about nothing.
            Err(TextError::Empty) => {}
            Err(error) => set_problem.set(Some(error.to_string())),
        }
    };
    let submit = move |ev: SubmitEvent| {
        ev.prevent_default();
        send();
        if let Some(field) = field.get_untracked() {
            _ = field.focus();
        }
    };
    let keydown = move |ev: KeyboardEvent| {
        if sends(&ev) {
            ev.prevent_default();
            send();
        }
    };
    let input = move |_| {
        if let Some(field) = field.get_untracked() {
            fit(&field);
        }
        changed();
    };
    let too_long = move || length.get() > MAX_MESSAGE_CHARS;
    let note = move || problem.get().or_else(|| remaining(length.get()));
    view! {
        <form class="composer" method="post" action=format!("/u/{short_id}/messages") on:submit=submit>
            <Alias name/>
            <div class="composer-box">
                <label class="visually-hidden" r#for="message">"Message"</label>
                <textarea
                    id="message"
                    name="content"
                    node_ref=field
                    rows="1"
                    dir="auto"
                    required
                    autocomplete="off"
                    enterkeyhint="send"
                    placeholder="Say something…"
                    aria-describedby="message-note"
                    on:input=input
                    on:keydown=keydown
                ></textarea>
                <button class="button primary" r#type="submit" disabled=too_long>
                    "Send"
                </button>
            </div>
            <p id="message-note" class="composer-note" role="status">{note}</p>
        </form>
    }
    .into_any()
}
