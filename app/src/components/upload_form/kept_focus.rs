//! Keeps the focus in an upload form, whose controls come and go.

use leptos::ev::FocusEvent;
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use super::uploader::Uploader;
use crate::browser::{focus, target};
use crate::erased::effect;

/// Moves the focus to the next control when the one that has it is hidden by a change of the phase. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct KeptFocus {
    /// What the controls are in.
    pub zone: NodeRef<Div>,
    /// Whether one of them has the focus, or had it when it was hidden.
    is_inside: StoredValue<bool>,
}

impl KeptFocus {
    /// For the controls of this uploader.
    pub fn new(uploader: Uploader) -> Self {
        let kept = Self {
            zone: NodeRef::new(),
            is_inside: StoredValue::new(false),
        };
        effect(move || {
            uploader.phase.track();
            // Once all that depends on the phase is changed.
            request_animation_frame(move || kept.restore());
        });
        kept
    }

    /// Handles `focusin` of the zone.
    pub fn on_focus(self) {
        self.is_inside.set_value(true);
    }

    /// Handles `focusout` of the zone. A browser takes the focus from what is hidden, too.
    pub fn on_blur(self, ev: &FocusEvent) {
        let is_hidden = target(ev).is_some_and(|target| is_hidden(&target));
        self.is_inside.set_value(is_hidden);
    }

    fn restore(self) {
        // The page may have been left.
        let Some(zone) = self.zone.try_get_untracked().flatten() else {
            return;
        };
        let focused = document().active_element();
        let focused = focused.filter(|focused| zone.contains(Some(focused)));
        let is_lost = focused.is_none_or(|focused| is_hidden(&focused));
        if self.is_inside.get_value()
            && is_lost
            && let Some(next) = next_control(&zone)
        {
            focus(&next);
        }
    }
}

/// The first control that is shown, but one that tries again before all others.
fn next_control(zone: &Element) -> Option<HtmlElement> {
    let shown = |selector| {
        let all = zone.query_selector_all(selector).ok()?;
        let mut all = (0..all.length()).filter_map(|index| all.get(index)?.dyn_into().ok());
        all.find(|control: &HtmlElement| !is_hidden(control))
    };
    shown(".refusal button").or_else(|| shown("button, input"))
}

fn is_hidden(element: &Element) -> bool {
    matches!(element.closest("[hidden]"), Ok(Some(_)))
}
