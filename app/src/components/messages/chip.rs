use std::num::NonZeroU32;

use leptos::ev::MouseEvent;
use leptos::prelude::*;

use crate::components::places::{Places, is_plain};
use crate::erased::erase;
use crate::model::Point;
use crate::texts::{fill, texts};

/// The place of a message: its number as a link to the pin on the image, or a circle while it has none.
pub fn chip(at: Point, pin: Option<NonZeroU32>, places: Places) -> AnyView {
    let Some(pin) = pin else {
        return erase(view! { <span class="chip">"◎"</span> });
    };
    let is_lit = move || places.lit.get() == Some(pin);
    let reveal = move |ev: MouseEvent| {
        if is_plain(&ev) {
            ev.prevent_default();
            places.reveal(at);
        }
    };
    erase(view! {
        <a
            class="chip"
            class:lit=is_lit
            href=format!("#pin{pin}")
            aria-label=fill(texts().pin_on_image, &[("number", &pin.to_string())])
            data-pin=pin.to_string()
            on:click=reveal
        >
            {pin.to_string()}
        </a>
    })
}
