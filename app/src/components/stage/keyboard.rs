use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use super::place::{middle, step};
use crate::model::Point;

/// The picture's place for the keyboard: a button over it that lets pointers through. Arrow keys move a crosshair,
/// Enter and Space tap where it is.
#[component]
pub fn KeyboardPointer(on_tap: Callback<Point>) -> impl IntoView {
    let crosshair = RwSignal::new(None::<Point>);
    let keydown = move |ev: KeyboardEvent| {
        let Some(from) = crosshair.get_untracked().or_else(middle) else {
            return;
        };
        let key = ev.key();
        if let Some(to) = step(from, &key, ev.shift_key()) {
            crosshair.set(Some(to));
        } else if matches!(key.as_str(), "Enter" | " ") && !ev.repeat() {
            crosshair.set(Some(from));
            on_tap.run(from);
        } else {
            return;
        }
        ev.prevent_default();
    };
    view! {
        <button
            class="keyboard-pointer scripted"
            r#type="button"
            aria-label="Point at the picture"
            aria-describedby="pointing-help"
            on:keydown=keydown
            on:focus=move |_| crosshair.set(middle())
            on:blur=move |_| crosshair.set(None)
        ></button>
        <p id="pointing-help" class="visually-hidden">
            "Arrow keys move the crosshair, with Shift in small steps. Enter or Space shows everyone that place."
        </p>
        {move || crosshair.get().map(|at| view! { <Crosshair at/> })}
    }
}

#[component]
fn Crosshair(at: Point) -> impl IntoView {
    let percent = |fraction: f64| format!("{}%", fraction * 100.0);
    view! {
        <i
            class="crosshair"
            aria-hidden="true"
            style:left=percent(at.x())
            style:top=percent(at.y())
        ></i>
    }
}
