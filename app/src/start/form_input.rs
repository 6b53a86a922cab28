//! Saves the text in form fields before the page is rendered again.

use leptos::prelude::window;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement, HtmlTextAreaElement};

use crate::browser::storage;

/// Stores the typed message and alias. The rendered fields restore them.
pub fn save_input(root: &Element) {
    let value = |selector: &str| {
        let field = root.query_selector(selector).ok().flatten()?;
        field_value(&field).filter(|value| !value.is_empty())
    };
    let path = window().location().pathname().unwrap_or_default();
    let short_id = path.rsplit('/').next().and_then(|id| id.parse().ok());
    if let Some((text, short_id)) = value("[name=content]").zip(short_id) {
        storage::write_draft(short_id, &text);
    }
    if let Some(Ok(alias)) = value("[name=authorName]").map(|alias| alias.parse()) {
        storage::write_alias(&alias);
    }
}

fn field_value(field: &Element) -> Option<String> {
    let input = field.dyn_ref().map(HtmlInputElement::value);
    input.or_else(|| field.dyn_ref().map(HtmlTextAreaElement::value))
}
