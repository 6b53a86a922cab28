use leptos::ev::MouseEvent;
use leptos::prelude::*;

use crate::components::avatar::hue;
use crate::components::places::{Places, is_plain};
use crate::erased::erase;
use crate::live::ListedMessage;
use crate::texts::{fill, texts};

/// The place of a message: its number as a link to the pin on the image, or a circle while it has none.
pub fn chip(entry: &ListedMessage, places: Places) -> Option<AnyView> {
    let at = entry.at?;
    let class = ["chip", hue(&entry.author_name, entry.author.as_ref())].join(" ");
    let Some(pin) = entry.pin else {
        return Some(erase(view! { <span class=class>"◎"</span> }));
    };
    let is_lit = move || places.lit.get() == Some(pin);
    let reveal = move |ev: MouseEvent| {
        if is_plain(&ev) {
            ev.prevent_default();
            places.reveal(at);
        }
    };
    Some(erase(view! {
        <a
            class=class
            class:lit=is_lit
            href=format!("#pin{pin}")
            aria-label=fill(texts().pin_on_image, &[("number", &pin.to_string())])
            data-pin=pin.to_string()
            on:click=reveal
        >
            {pin.to_string()}
        </a>
    }))
}
