use wasm_bindgen::JsCast;
use web_sys::{Element, Event};

/// The element that an event is on.
pub fn target(ev: &Event) -> Option<Element> {
    ev.target()?.dyn_into().ok()
}
