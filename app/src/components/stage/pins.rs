use leptos::prelude::*;

use super::place::decimal;
use crate::browser::Hydrated;
use crate::components::places::Places;
use crate::erased::ErasedFor;
use crate::live::{Live, Pin};
use crate::model::Point;

/// The pins in the document that the server renders: each adds 54 bytes to its Content-Security-Policy, and proxies limit
/// the size of headers.
const MAX_FIRST_PINS: usize = 20;

/// The places of the listed messages: links to these, also without scripts. With scripts, the Tab key leads to the chips
/// in the messages only, which do the same.
#[component]
pub fn Pins(live: Live) -> impl IntoView {
    let places = Places::expect();
    let pins = live.messages.pins;
    let hydrated = Hydrated::expect();
    let each = move || {
        let mut pins = pins.get();
        if !hydrated.get() {
            pins.drain(..pins.len().saturating_sub(MAX_FIRST_PINS));
        }
        pins
    };
    let pin = move |pin: Pin| {
        let Pin { number, at, .. } = pin;
        let is_lit = move || places.lit.get() == Some(number);
        view! {
            <a
                id=format!("pin{number}")
                class=class(at)
                class:lit=is_lit
                href=format!("#m{}", pin.seq)
                aria-label=format!("Pin {number}: message by {}", pin.author_name)
                data-pin=number.to_string()
                draggable="false"
                tabindex=move || hydrated.get().then_some("-1")
                style=("--x", decimal(at.x()))
                style=("--y", decimal(at.y()))
            >
                {number.to_string()}
            </a>
        }
    };
    view! {
        <div class="pins" hidden=move || !places.shown.get()>
            <ErasedFor each key=|pin| pin.id children=pin/>
        </div>
    }
}

/// A pin stands above its place and to the right of it, but not beyond the image's edge, where the stage may end.
fn class(at: Point) -> &'static str {
    match (at.x() > 0.9, at.y() < 0.1) {
        (false, false) => "pin",
        (true, false) => "pin leftward",
        (false, true) => "pin below",
        (true, true) => "pin leftward below",
    }
}

/// Shows and hides the pins.
#[component]
pub fn PinsButton(live: Live) -> impl IntoView {
    let Places { shown, .. } = Places::expect();
    let count = move || live.messages.pins.read().len();
    view! {
        <button
            r#type="button"
            hidden=move || count() == 0
            aria-pressed=move || if shown.get() { "true" } else { "false" }
            on:click=move |_| shown.set(!shown.get_untracked())
        >
            {move || format!("Pins {}", count())}
        </button>
    }
}
