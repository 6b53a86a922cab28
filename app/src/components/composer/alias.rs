use leptos::ev::KeyboardEvent;
use leptos::html::{Button, Input};
use leptos::prelude::*;

use super::text_field::is_composing;
use crate::browser::{focus, storage};
use crate::components::avatar::{avatar, display_name};
use crate::erased::effect;
use crate::live::Live;
use crate::model::AuthorName;
use crate::texts::{fill, texts};

/// The author's alias, and the field that it is changed in.
#[derive(Clone, Copy)]
pub struct Alias {
    /// The alias: `Anonymous` on the server and in the first render.
    pub name: RwSignal<AuthorName>,
    editing: RwSignal<bool>,
    /// Why the field's text is no alias.
    problem: RwSignal<Option<String>>,
    field: NodeRef<Input>,
}

impl Alias {
    /// Starts with the alias that was typed before hydration, or else the stored or proposed one.
    pub fn new() -> Self {
        let alias = Self {
            name: RwSignal::default(),
            editing: RwSignal::new(false),
            problem: RwSignal::new(None),
            field: NodeRef::new(),
        };
        effect(move || {
            let typed = alias.field.get().map(|field| field.value());
            let typed = typed.filter(|text| !text.is_empty());
            if let Some(typed) = typed.and_then(|text| text.parse().ok()) {
                storage::write_alias(&typed);
            }
            alias.name.set(storage::alias());
        });
        alias
    }

    /// Takes the field's text as the alias. False if it is none: the field has the focus then, and says why.
    pub fn commit(self) -> bool {
        let is_valid = self.check();
        if let Some(field) = self.field.get_untracked().filter(|_| !is_valid) {
            focus(&field);
        }
        is_valid
    }

    fn check(self) -> bool {
        let field = self.field.get_untracked();
        let Some(field) = field.filter(|_| self.editing.get_untracked()) else {
            return true;
        };
        match field.value().parse::<AuthorName>() {
            Ok(changed) => {
                storage::write_alias(&changed);
                self.name.set(changed);
                self.close();
                true
            }
            Err(error) => {
                let texts = texts();
                let reason = error.in_words(texts);
                let reason = [("reason", reason.as_str())];
                self.problem.set(Some(fill(texts.name_refused, &reason)));
                false
            }
        }
    }

    fn open(self) {
        self.editing.set(true);
        if let Some(field) = self.field.get_untracked() {
            let current = self.name.get_untracked();
            field.set_value(if current.is_anonymous() {
                ""
            } else {
                current.as_str()
            });
            // The field must be shown before it can have the focus.
            request_animation_frame(move || {
                focus(&field);
                field.select();
            });
        }
    }

    fn close(self) {
        self.problem.set(None);
        self.editing.set(false);
    }
}

/// The author's alias with the avatar, as a button that opens a field. Without scripts the field is always open.
#[component]
pub fn AliasChip(alias: Alias, live: Live) -> impl IntoView {
    let opener = NodeRef::<Button>::new();
    let keydown = move |ev: KeyboardEvent| {
        // While characters are composed, Enter accepts them and Escape drops them.
        if is_composing(&ev) {
            return;
        }
        match ev.key().as_str() {
            "Enter" => _ = alias.check(),
            "Escape" => alias.close(),
            _ => return,
        }
        ev.prevent_default();
        if !alias.editing.get_untracked()
            && let Some(opener) = opener.get_untracked()
        {
            request_animation_frame(move || focus(&opener));
        }
    };
    let disc = move || avatar(&alias.name.get(), live.author.get().as_ref());
    let shown = move || display_name(&alias.name.get()).to_owned();
    let problem = move || alias.problem.get().unwrap_or_default();
    let is_invalid = move || alias.problem.read().is_some().then_some("true");
    view! {
        <div class="alias" class:editing=move || alias.editing.get()>
            <button
                class="alias-open scripted"
                r#type="button"
                node_ref=opener
                on:click=move |_| alias.open()
            >
                {disc}
                <span class="visually-hidden">{texts().writing_as} " "</span>
                <bdi>{shown}</bdi>
                <span class="visually-hidden">", " {texts().change_name}</span>
            </button>
            <label class="alias-field">
                {texts().writing_as} " "
                // Without `maxlength`, which would cut a pasted or composed name without a word.
                <input
                    name="authorName"
                    node_ref=alias.field
                    placeholder=texts().anonymous
                    autocomplete="nickname"
                    enterkeyhint="done"
                    aria-invalid=is_invalid
                    aria-describedby="alias-problem"
                    on:keydown=keydown
                    on:blur=move |_| _ = alias.check()
                />
            </label>
            <p id="alias-problem" class="alias-problem" role="alert">
                {problem}
            </p>
        </div>
    }
}
