use crate::browser::effect;
use leptos::ev::AnimationEvent;
use leptos::html::Div;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::erased::handler;
use crate::live::{Live, Ripple};

/// The animation whose end is the ripple's own; its two rings end earlier or at the same time.
const LIFE: &str = "ripple-life";
/// Where a drawn ripple keeps its number.
const NUMBER: &str = "data-ripple";

/// Everyone's taps, each at its fraction of the picture whatever its size. For the eye only. They are drawn by hand:
/// they come and go in the browser alone, and under the page's policy only it may place them.
#[component]
pub fn Ripples(live: Live) -> impl IntoView {
    let pond = NodeRef::<Div>::new();
    effect(move || {
        let ripples = live.ripples.read();
        if let Some(pond) = pond.get() {
            draw(&pond, &ripples);
        }
    });
    let faded = move |ev: AnimationEvent| {
        let number = ev
            .target()
            .and_then(|target| target.dyn_into::<HtmlElement>().ok())
            .and_then(|ripple| ripple.get_attribute(NUMBER)?.parse().ok());
        if let Some(id) = number.filter(|_| ev.animation_name() == LIFE) {
            live.finish_ripple(id);
        }
    };
    view! { <div class="ripples" aria-hidden="true" node_ref=pond on:animationend:capture=handler(faded)></div> }
}

/// Removes what has faded and adds what is new; both are kept in the order of their numbers.
fn draw(pond: &HtmlElement, ripples: &[Ripple]) {
    let children = pond.children();
    let mut drawn = None;
    for index in (0..children.length()).rev() {
        let Some(child) = children.item(index) else {
            continue;
        };
        let number = child
            .get_attribute(NUMBER)
            .and_then(|number| number.parse().ok());
        if ripples.iter().any(|ripple| Some(ripple.id) == number) {
            drawn = drawn.max(number);
        } else {
            child.remove();
        }
    }
    for ripple in ripples.iter().filter(|ripple| Some(ripple.id) > drawn) {
        // Fails only for names that no element may have.
        _ = ring(ripple).map(|ring| pond.append_child(&ring));
    }
}

fn ring(ripple: &Ripple) -> Option<HtmlElement> {
    let ring: HtmlElement = document().create_element("i").ok()?.dyn_into().ok()?;
    ring.set_class_name(if ripple.mine { "ripple mine" } else { "ripple" });
    ring.set_attribute(NUMBER, &ripple.id.to_string()).ok()?;
    super::place_at(&ring, ripple.at);
    Some(ring)
}
