use leptos::html::Textarea;
use leptos::prelude::*;

use super::alias::Alias;
use super::text_field::{fit_height, join};
use crate::browser::storage;
use crate::components::places::Places;
use crate::erased::effect;
use crate::live::Live;
use crate::model::{MessageText, ShortId, TextError};
use crate::texts::texts;

/// The message that is being written.
#[derive(Clone, Copy)]
pub struct Draft {
    /// The text field.
    pub field: NodeRef<Textarea>,
    /// The message's place on the image, if it gets one, among others.
    pub places: Places,
    /// The author's alias.
    pub alias: Alias,
    /// The length of the trimmed text in characters.
    pub length: RwSignal<usize>,
    /// The reason why it was not sent.
    pub problem: RwSignal<Option<String>>,
    live: Live,
    upload: ShortId,
}

impl Draft {
    /// Creates a draft with the text that was typed before hydration, or else the stored one.
    pub fn new(short_id: ShortId, live: Live) -> Self {
        let places = Places::expect();
        let draft = Self {
            field: places.field,
            places,
            alias: Alias::new(),
            length: RwSignal::new(0),
            problem: RwSignal::new(None),
            live,
            upload: short_id,
        };
        effect(move || live.rename(draft.alias.name.get()));
        effect(move || {
            let stored = storage::read_draft(draft.upload);
            if let Some(field) = draft.field.get().filter(|field| field.value().is_empty()) {
                field.set_value(&stored.unwrap_or_default());
            }
            draft.on_change();
        });
        let mut is_restored = false;
        effect(move || {
            let place = places.chosen.get();
            if !std::mem::replace(&mut is_restored, true) && place.is_none() {
                places.chosen.set(storage::read_place(draft.upload));
            } else {
                storage::write_place(draft.upload, place);
            }
        });
        draft
    }

    /// Updates the length and the stored draft after a change of the text.
    pub fn on_change(self) {
        let Some(field) = self.field.get_untracked() else {
            return;
        };
        fit_height(&field);
        let text = field.value();
        self.problem.set(None);
        self.length.set(text.trim().chars().count());
        storage::write_draft(self.upload, &text);
    }

    /// Sends the text and empties the field; keeps the text if it cannot be sent, also as long as the alias is wrong.
    pub fn send(self) {
        let Some(field) = self.field.get_untracked() else {
            return;
        };
        if !self.alias.commit() {
            return;
        }
        match field.value().parse::<MessageText>() {
            Ok(text) => {
                let place = self.places.chosen.get_untracked();
                if self.live.send(self.alias.name.get_untracked(), text, place) {
                    self.places.chosen.set(None);
                    self.replace("");
                } else {
                    self.refuse(texts().too_many_unsent);
                }
            }
            // No message is needed for an empty field.
            Err(TextError::Empty) => {}
            Err(error) => self.refuse(&error.in_words(texts())),
        }
    }

    /// Puts a text before the one in the field.
    pub fn prepend(self, text: &str) {
        if let Some(field) = self.field.get_untracked() {
            self.replace(&join(text, &field.value()));
            self.focus();
        }
    }

    /// Focuses the field.
    pub fn focus(self) {
        self.places.focus_field();
    }

    fn replace(self, text: &str) {
        if let Some(field) = self.field.get_untracked() {
            field.set_value(text);
            self.on_change();
        }
    }

    fn refuse(self, problem: &str) {
        self.problem.set(Some(problem.to_owned()));
    }
}
