use leptos::html::Textarea;
use leptos::prelude::*;

use super::text_field::{fit, join};
use crate::browser::storage;
use crate::live::Live;
use crate::model::{AuthorName, MessageText, ShortId, TextError};

/// The message that is being written. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Draft {
    /// Where it is written.
    pub field: NodeRef<Textarea>,
    /// Whom one writes as.
    pub name: RwSignal<AuthorName>,
    /// How many characters would be sent.
    pub length: RwSignal<usize>,
    /// Why it was not sent, if it was not.
    pub problem: RwSignal<Option<String>>,
    live: Live,
    upload: ShortId,
}

impl Draft {
    /// What was typed before hydration stays; else the draft of before a reload comes back.
    pub fn start(short_id: ShortId, live: Live) -> Self {
        let draft = Self {
            field: NodeRef::new(),
            name: RwSignal::new(AuthorName::default()),
            length: RwSignal::new(0),
            problem: RwSignal::new(None),
            live,
            upload: short_id,
        };
        Effect::new(move || {
            let kept = storage::read_draft(draft.upload);
            if let Some(field) = draft.field.get().filter(|field| field.value().is_empty()) {
                field.set_value(&kept.unwrap_or_default());
            }
            draft.changed();
        });
        draft
    }

    /// The text is another one.
    pub fn changed(self) {
        let Some(field) = self.field.get_untracked() else {
            return;
        };
        fit(&field);
        let text = field.value();
        self.problem.set(None);
        self.length.set(text.trim().chars().count());
        storage::write_draft(self.upload, &text);
    }

    /// Sends the text, and leaves it where it is when it cannot be sent.
    pub fn send(self) {
        let Some(field) = self.field.get_untracked() else {
            return;
        };
        match field.value().parse::<MessageText>() {
            Ok(text) => {
                if self.live.send(self.name.get_untracked(), text) {
                    self.replace("");
                } else {
                    self.refuse("Too many messages wait to be sent. Try again in a moment.");
                }
            }
            // There is nothing to say about nothing.
            Err(TextError::Empty) => {}
            Err(error) => self.refuse(&error.to_string()),
        }
    }

    /// Puts a text that came back above the one that was begun since.
    pub fn take_back(self, text: &str) {
        if let Some(field) = self.field.get_untracked() {
            self.replace(&join(text, &field.value()));
            self.focus();
        }
    }

    /// Lets the reader write on.
    pub fn focus(self) {
        if let Some(field) = self.field.get_untracked() {
            // Fails only for what cannot have the focus.
            _ = field.focus();
        }
    }

    fn replace(self, text: &str) {
        if let Some(field) = self.field.get_untracked() {
            field.set_value(text);
            self.changed();
        }
    }

    fn refuse(self, problem: &str) {
        self.problem.set(Some(problem.to_owned()));
    }
}
