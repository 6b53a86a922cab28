use leptos::ev::KeyboardEvent;
use leptos::html::I;
use leptos::prelude::*;
use web_sys::HtmlElement;

use super::place::{middle, percentage, step};
use crate::model::Point;

/// Taps by the keyboard: a button over the image that lets pointers through. Arrow keys move a crosshair, Enter and
/// Space tap at its position.
#[component]
pub fn KeyboardPointer(on_tap: Callback<Point>) -> impl IntoView {
    let crosshair = NodeRef::<I>::new();
    let at = StoredValue::new(middle());
    let aim = move |point: Point| {
        at.set_value(point);
        if let Some(crosshair) = crosshair.get_untracked() {
            place_at(&crosshair, point);
        }
    };
    let keydown = move |ev: KeyboardEvent| {
        let key = ev.key();
        if let Some(to) = step(at.get_value(), &key, ev.shift_key()) {
            aim(to);
        } else if matches!(key.as_str(), "Enter" | " ") && !ev.repeat() {
            on_tap.run(at.get_value());
        } else {
            return;
        }
        ev.prevent_default();
    };
    view! {
        <button
            class="keyboard-pointer scripted"
            r#type="button"
            aria-label="Point at the image"
            aria-describedby="pointing-help"
            on:keydown=keydown
            on:focus=move |_| aim(middle())
        ></button>
        <p id="pointing-help" class="visually-hidden">
            "Arrow keys move the crosshair, with Shift in small steps. Enter or Space shows everyone that place."
        </p>
        <i class="crosshair" aria-hidden="true" node_ref=crosshair></i>
    }
}

/// Places the element at this fraction of the box that it is in.
fn place_at(element: &HtmlElement, at: Point) {
    set_style(element, "left", &percentage(at.x()));
    set_style(element, "top", &percentage(at.y()));
}

fn set_style(element: &HtmlElement, property: &str, value: &str) {
    // Fails only for a read-only style, and this is the element's own.
    _ = element.style().set_property(property, value);
}
