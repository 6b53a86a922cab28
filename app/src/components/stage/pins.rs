use std::fmt::Write;
use std::num::NonZeroU32;

use leptos::ev::PointerEvent;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use web_sys::FocusEvent;

use super::place::decimal;
use super::spread::Spread;
use crate::browser::Hydrated;
use crate::components::avatar::{display_name, hue};
use crate::components::places::{Places, place_link};
use crate::erased::ErasedFor;
use crate::live::{Live, Pin};
use crate::model::{AuthorName, Point};
use crate::texts::{fill, texts};

/// The places of the listed messages: links to these, also without scripts. With scripts, the Tab key leads to the
/// chips in the messages only, which do the same.
#[component]
pub fn Pins(live: Live, spread: Spread) -> impl IntoView {
    let places = Places::expect();
    let pins = live.messages.pins;
    let hydrated = Hydrated::expect();
    let rules = rules(&pins.get_untracked());
    let rules = (is_in_document() && !rules.is_empty())
        .then(|| view! { <style nonce=use_nonce()>{rules}</style> });
    let on_hover = move |ev: PointerEvent| {
        if let Some(pin) = place_link(&ev).filter(|_| ev.pointer_type() != "touch") {
            spread.open(&pin);
        }
    };
    let on_focus = move |ev: FocusEvent| {
        let pin = place_link(&ev);
        // Not by a tap, which spreads them itself.
        if let Some(pin) = pin.filter(|pin| pin.matches(":focus-visible").unwrap_or(false)) {
            spread.open(&pin);
        }
    };
    let pin = move |pin: Pin| {
        let Pin { number, at, .. } = pin;
        let hue = hue(&pin.author_name, pin.author.as_ref());
        let is_lit = move || places.lit.get() == Some(number);
        let property = |fraction: f64| (!is_in_document()).then(|| decimal(fraction));
        view! {
            <a
                id=format!("pin{number}")
                class=[class(at), hue].join(" ")
                class:lit=is_lit
                href=format!("#m{}", pin.seq)
                aria-label=label(number, &pin.author_name)
                data-pin=number.to_string()
                draggable="false"
                tabindex=move || hydrated.get().then_some("-1")
                style=("--x", property(at.x()))
                style=("--y", property(at.y()))
            >
                {number.to_string()}
            </a>
        }
    };
    view! {
        {rules}
        <div
            class="pins"
            hidden=move || !places.shown.get()
            on:pointerover=on_hover
            on:focusin=on_focus
            on:focusout=move |_| spread.close()
        >
            <ErasedFor each=move || pins.get() key=|pin| pin.id children=pin/>
        </div>
    }
}

/// Whether the server's document is being rendered, or hydrated. It has the pins' places in a style sheet, which needs
/// one hash in the Content-Security-Policy instead of one for each pin.
fn is_in_document() -> bool {
    let context = Owner::current_shared_context();
    cfg!(feature = "ssr") || context.is_some_and(|context| context.during_hydration())
}

/// The style sheet with the places of these pins.
fn rules(pins: &[Pin]) -> String {
    let mut rules = String::new();
    for Pin { number, at, .. } in pins {
        let (x, y) = (decimal(at.x()), decimal(at.y()));
        // Writing to a string cannot fail.
        _ = write!(rules, "#pin{number}{{--x:{x};--y:{y}}}");
    }
    rules
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

fn label(number: NonZeroU32, author: &AuthorName) -> String {
    let number = number.to_string();
    let parts = [("number", number.as_str()), ("name", display_name(author))];
    fill(texts().pin, &parts)
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
            {move || fill(texts().pins_button, &[("count", &count().to_string())])}
        </button>
    }
}
