use leptos::ev::KeyboardEvent;
use leptos::html::{Button, Input};
use leptos::prelude::*;

use crate::browser::storage;
use crate::erased::effect;
use crate::model::{AuthorName, MAX_AUTHOR_CHARS};

/// The author's alias: a line that opens a field. The alias is stored; without scripts the field is always open.
#[component]
pub fn Alias(alias: RwSignal<AuthorName>) -> impl IntoView {
    let editing = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let field = NodeRef::<Input>::new();
    let opener = NodeRef::<Button>::new();
    effect(move || {
        // It may have been typed before hydration.
        let typed = field.get().map(|field| field.value());
        let typed = typed
            .filter(|text| !text.is_empty())
            .and_then(|text| text.parse().ok());
        if let Some(initial) = typed.or_else(storage::read_alias) {
            alias.set(initial);
        }
    });
    let open = move |_| {
        editing.set(true);
        if let Some(field) = field.get_untracked() {
            let current = alias.get_untracked();
            field.set_value(if current == AuthorName::default() {
                ""
            } else {
                current.as_str()
            });
            // The field must be shown before it can have the focus.
            request_animation_frame(move || {
                _ = field.focus();
                field.select();
            });
        }
    };
    let commit = move || {
        let Some(field) = field.get_untracked().filter(|_| editing.get_untracked()) else {
            return;
        };
        match field.value().parse::<AuthorName>() {
            Ok(changed) => {
                storage::write_alias(&changed);
                alias.set(changed);
                problem.set(None);
                editing.set(false);
            }
            Err(error) => problem.set(Some(error.to_string())),
        }
    };
    let keydown = move |ev: KeyboardEvent| {
        match ev.key().as_str() {
            "Enter" if !ev.is_composing() => commit(),
            "Escape" => {
                problem.set(None);
                editing.set(false);
            }
            _ => return,
        }
        ev.prevent_default();
        if !editing.get_untracked()
            && let Some(opener) = opener.get_untracked()
        {
            request_animation_frame(move || _ = opener.focus());
        }
    };
    let editing = move || editing.get();
    let shown = move || alias.get().to_string();
    let problem = move || problem.get().unwrap_or_default();
    view! {
        <div class="alias" class:editing=editing>
            <button class="alias-open scripted" r#type="button" node_ref=opener on:click=open>
                "Writing as "
                <bdi>{shown}</bdi>
                <span class="visually-hidden">", change the name"</span>
            </button>
            <label class="alias-field">
                "Writing as "
                <input
                    name="authorName"
                    node_ref=field
                    // The browser counts UTF-16 code units, of which a character has up to two.
                    maxlength=(2 * MAX_AUTHOR_CHARS).to_string()
                    placeholder="Anonymous"
                    autocomplete="nickname"
                    enterkeyhint="done"
                    on:keydown=keydown
                    on:blur=move |_| commit()
                />
            </label>
            <p class="alias-problem" role="alert">
                {problem}
            </p>
        </div>
    }
}
