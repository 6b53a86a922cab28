//! The app's start in the browser: hydrates what the server rendered, or renders it anew where something else has
//! changed it.

use leptos::mount::{hydrate_from, mount_to};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlInputElement, HtmlTextAreaElement};

use crate::app::App;
use crate::browser::storage;
use crate::settings::{SETTINGS_ID, Settings};

/// Starts the app in the document's element `app`. Where that or the settings are missing, the page stays
/// as it is, and works as without scripts.
pub fn start() {
    let Some((root, settings)) = root().zip(settings()) else {
        if let Some(document) = document().document_element() {
            document.set_class_name("failed");
        }
        return;
    };
    let app = move || {
        provide_context(settings);
        view! { <App/> }
    };
    if is_as_rendered(&root) {
        hydrate_from(root, app).forget();
    } else {
        leptos::logging::warn!(
            "Something has changed the page before Tonesa started, as extensions and translators do. It is rendered anew."
        );
        keep_what_was_typed(&root);
        root.set_text_content(None);
        mount_to(root, app).forget();
    }
}

fn root() -> Option<HtmlElement> {
    document().get_element_by_id("app")?.dyn_into().ok()
}

fn settings() -> Option<Settings> {
    let text = document().get_element_by_id(SETTINGS_ID)?.text_content()?;
    serde_json::from_str(&text).ok()
}

/// Whether the element holds as many nodes as the server has sent: hydration walks over them, and would take one for
/// another.
fn is_as_rendered(root: &Element) -> bool {
    /// `NodeFilter.SHOW_ALL`
    const ALL: u32 = u32::MAX;
    let Ok(walker) = document().create_tree_walker_with_what_to_show(root, ALL) else {
        return true;
    };
    let mut nodes = 0_usize;
    while let Ok(Some(_)) = walker.next_node() {
        nodes += 1;
    }
    let sent = root
        .get_attribute("data-nodes")
        .and_then(|sent| sent.parse().ok());
    sent.is_none_or(|sent: usize| sent == nodes)
}

/// Keeps what somebody has typed before the app started, where the fields that are rendered anew look for it.
fn keep_what_was_typed(root: &Element) {
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
