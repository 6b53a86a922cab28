use std::num::NonZeroU32;

use leptos::ev::MouseEvent;
use leptos::prelude::*;

use crate::components::places::Places;
use crate::erased::erase;
use crate::model::Point;

/// The place of a message: its number as a link to the pin on the image, or a circle while it has none.
pub fn chip(at: Point, pin: Option<NonZeroU32>, places: Places) -> AnyView {
    let number = pin.map(|pin| pin.to_string());
    let text = number.clone().unwrap_or_else(|| "◎".to_owned());
    let href = pin.map(|pin| format!("#pin{pin}"));
    let label = pin.map(|pin| format!("Pin {pin} on the image"));
    let is_lit = move || pin.is_some() && places.lit.get() == pin;
    let reveal = move |ev: MouseEvent| {
        ev.prevent_default();
        places.shown.set(true);
        places.revealed.set(Some(at));
    };
    erase(view! {
        <a
            class="chip"
            class:lit=is_lit
            href=href
            aria-label=label
            data-pin=number
            on:click=reveal
        >
            {text}
        </a>
    })
}
