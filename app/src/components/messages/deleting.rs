//! Deleting messages: the reader's click, and the focus, which stays in the row and then moves on.

use leptos::ev::MouseEvent;
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use crate::browser::{closest, focus};
use crate::components::announcement::Announcement;
use crate::erased::effect;
use crate::live::Live;
use crate::model::Seq;
use crate::texts::texts;

/// Deletes a message if the click is on its button for that, and offers to undo it.
pub fn delete_clicked(ev: &MouseEvent, live: Live, announced: Announcement) {
    let clicked = closest(ev, ".delete-message").and_then(|_| closest(ev, ".message"));
    let Some(message) = clicked else { return };
    let Some(seq) = seq_of(&message) else { return };
    live.delete(seq);
    announced.set(texts().message_deleted.to_owned());
    // The row changes in another effect.
    request_animation_frame(move || {
        if let Ok(Some(undo)) = message.query_selector(".delivery button") {
            focus(undo.unchecked_ref());
        }
    });
}

/// Moves the focus on when its message goes, or the button that undoes the deletion.
pub fn keep_focus(log: NodeRef<Div>, live: Live) {
    effect(move || {
        let leaving = live.messages.leaving.get();
        let focused = document().active_element();
        let message = focused.and_then(|focused| focused.closest(".message").ok()?);
        let is_leaving =
            |message: &HtmlElement| seq_of(message).is_some_and(|it| leaving.contains(&it));
        let message = message.and_then(|message| message.dyn_into::<HtmlElement>().ok());
        let Some(message) = message.filter(is_leaving) else {
            return;
        };
        let next = neighbour(&message, Element::next_element_sibling);
        let next = next.or_else(|| neighbour(&message, Element::previous_element_sibling));
        if let Some(next) = next {
            focus(&next);
        } else if let Some(log) = log.get_untracked() {
            focus(&log);
        }
    });
}

/// The nearest message in one direction.
fn neighbour(message: &Element, step: fn(&Element) -> Option<Element>) -> Option<HtmlElement> {
    let mut element = step(message)?;
    while !element.matches(".message").unwrap_or(false) {
        element = step(&element)?;
    }
    element.dyn_into().ok()
}

/// The number in the id of a message's element.
fn seq_of(message: &HtmlElement) -> Option<Seq> {
    let id = message.id();
    id.strip_prefix('m')?.parse().ok().map(Seq::new)
}
