use std::cell::Cell;
use std::rc::Rc;

use js_sys::Reflect;
use leptos::html::Div;
use leptos::prelude::*;
use web_sys::Element;

use super::scroll::FOLLOWING_PX;
use crate::erased::effect;
use crate::live::Live;

/// Keeps what a reader who has scrolled up sees in its place when new messages come below it. Browsers with scroll
/// anchoring do so themselves; WebKit has none.
pub fn anchor(scroller: NodeRef<Div>, live: Live) {
    let last = Rc::new(Cell::new(None::<Element>));
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
            let Some((before, newest)) = last.replace(newest.clone()).zip(newest) else {
                return;
            };
            let is_reading = scroller.scroll_top() < -FOLLOWING_PX;
            if is_reading && before.is_connected() && !anchors_itself(&scroller) {
                let bottom = |it: &Element| it.get_bounding_client_rect().bottom();
                scroller.scroll_by_with_x_and_y(0.0, bottom(&before) - bottom(&newest));
            }
        });
    });
}

fn anchors_itself(element: &web_sys::HtmlElement) -> bool {
    let style = element.style();
    Reflect::get(&style, &"overflowAnchor".into()).is_ok_and(|value| !value.is_undefined())
}
