use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement};

/// The element that an event is on.
pub fn target(ev: &Event) -> Option<Element> {
    ev.target()?.dyn_into().ok()
}

/// The nearest element around an event that matches a selector.
pub fn closest(ev: &Event, selector: &str) -> Option<HtmlElement> {
    target(ev)?.closest(selector).ok()??.dyn_into().ok()
}
