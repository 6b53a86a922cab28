use web_sys::HtmlElement;

/// Moves the focus to this element, for which the browser scrolls to it.
pub fn focus(element: &HtmlElement) {
    // Fails only for elements that cannot have the focus.
    _ = element.focus();
}
