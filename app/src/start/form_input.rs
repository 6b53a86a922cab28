use leptos::prelude::window;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement, HtmlTextAreaElement};

use crate::browser::storage;

/// Stores what was typed into the page, from where the fields read it when they are rendered again.
pub fn keep(root: &Element) {
    let value = |selector: &str| {
        let field = root.query_selector(selector).ok().flatten()?;
        field_value(&field).filter(|value| !value.is_empty())
    };
    let path = window().location().pathname().unwrap_or_default();
    let short_id = path.rsplit('/').next().and_then(|id| id.parse().ok());
    if let Some((text, short_id)) = value("[name=content]").zip(short_id) {
        storage::write_draft(short_id, &text);
    }
    if let Some(Ok(name)) = value("[name=authorName]").map(|name| name.parse()) {
        storage::write_alias(&name);
    }
}

fn field_value(field: &Element) -> Option<String> {
    let input = field.dyn_ref().map(HtmlInputElement::value);
    input.or_else(|| field.dyn_ref().map(HtmlTextAreaElement::value))
}
