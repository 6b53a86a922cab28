use leptos::ev::{Event, KeyboardEvent};
use leptos::html::I;
use leptos::prelude::*;

use super::place::{decimal, middle, step};
use super::zoom::Zoom;
use crate::browser::{closest, focus};
use crate::model::Point;
use crate::texts::texts;

/// Taps by the keyboard: a button over the image that lets pointers through. Arrow keys move a crosshair, Enter and
/// Space tap at its position, P begins a message there. A zoomed picture follows the crosshair.
#[component]
pub fn KeyboardPointer(
    zoom: Zoom,
    on_tap: Callback<Point>,
    /// Begins a message at the crosshair's place.
    on_begin: Callback<Point>,
) -> impl IntoView {
    let crosshair = NodeRef::<I>::new();
    let at = StoredValue::new(middle());
    let aim = move |point: Point| {
        at.set_value(point);
        zoom.follow_crosshair(Some(point));
        if let Some(crosshair) = crosshair.get_untracked() {
            for (name, fraction) in [("--x", point.x()), ("--y", point.y())] {
                // Fails only for a read-only style, and this is the element's own.
                _ = crosshair.style().set_property(name, &decimal(fraction));
            }
        }
    };
    let shown = move || zoom.shown().unwrap_or((middle(), (1.0, 1.0)));
    let keydown = move |ev: KeyboardEvent| {
        // With these, keys are shortcuts of the browser.
        if ev.ctrl_key() || ev.meta_key() || ev.alt_key() {
            return;
        }
        let key = ev.key();
        if let Some(to) = step(at.get_value(), &key, ev.shift_key(), shown().1) {
            aim(to);
        } else if matches!(key.as_str(), "Enter" | " ") && !ev.repeat() {
            on_tap.run(at.get_value());
        } else if matches!(key.as_str(), "p" | "P") {
            on_begin.run(at.get_value());
        } else {
            return;
        }
        ev.prevent_default();
    };
    view! {
        <button
            class="keyboard-pointer scripted"
            r#type="button"
            aria-label=texts().point_at_image
            aria-describedby="pointing-help"
            on:keydown=keydown
            on:focus=move |_| aim(shown().0)
            on:blur=move |_| zoom.follow_crosshair(None)
        ></button>
        <p id="pointing-help" class="visually-hidden">
            {texts().pointing_help}
        </p>
        <i class="crosshair" aria-hidden="true" node_ref=crosshair></i>
    }
}

/// Moves the focus from a button on the stage, which is about to disappear, to the stage. Its keys zoom and move.
pub fn focus_stage(ev: &Event) {
    if let Some(stage) = closest(ev, ".stage") {
        focus(&stage);
    }
}
