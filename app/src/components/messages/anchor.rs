use std::cell::Cell;
use std::rc::Rc;

use js_sys::Reflect;
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::erased::effect;
use crate::live::Live;

/// Within this distance of the end, in CSS pixels, the reader follows the conversation.
pub const FOLLOWING_PX: i32 = 40;

/// Keeps what a reader who has scrolled up sees in its place when new messages come below it. Browsers with scroll
/// anchoring do so themselves; `WebKit` has none.
pub fn anchor(scroller: NodeRef<Div>, live: Live) {
    let last = Rc::new(Cell::new(None::<HtmlElement>));
    effect(move || {
        live.messages.newest.track();
        let last = Rc::clone(&last);
        // When the list has changed, and before that is shown.
        request_animation_frame(move || {
            let Some(scroller) = scroller.try_get_untracked().flatten() else {
                return;
            };
            let content = scroller.first_element_child();
            let newest = content.and_then(|content| content.last_element_child());
            let newest = newest.and_then(|newest| newest.dyn_into::<HtmlElement>().ok());
            let Some((before, newest)) = last.replace(newest.clone()).zip(newest) else {
                return;
            };
            let is_reading = scroller.scroll_top() < -FOLLOWING_PX;
            if is_reading && before.is_connected() && !anchors_itself(&scroller) {
                scroller.set_scroll_top(scroller.scroll_top() + bottom(&before) - bottom(&newest));
            }
        });
    });
}

/// Its place in the layout, not where it is while it moves in.
fn bottom(element: &HtmlElement) -> i32 {
    element.offset_top() + element.offset_height()
}

fn anchors_itself(element: &HtmlElement) -> bool {
    let style = element.style();
    Reflect::get(&style, &"overflowAnchor".into()).is_ok_and(|value| !value.is_undefined())
}
