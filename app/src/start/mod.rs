//! Starts the app in the browser: hydrates the server's page, or renders it again where something else has changed it.

mod form_input;
mod list_markers;

use std::sync::Once;

use leptos::mount::{hydrate_from, mount_to};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use crate::app::App;
use crate::live::{Conversations, connect_early};
use crate::settings::{SETTINGS_ID, Settings};
use crate::texts::{self, TEXTS_ID};

/// Starts the app in the element `#app`. If that element, the settings or the texts are missing, the page stays as it
/// is and works as without scripts.
pub fn start() {
    let parts = root().zip(settings()).filter(|_| read_texts());
    let Some((root, settings)) = parts else {
        if let Some(document) = document().document_element() {
            document.set_class_name("failed");
        }
        return;
    };
    if matches!(root.query_selector(".image-page"), Ok(Some(_))) {
        connect_early();
    }
    // Conversations and their unsent messages outlive what is mounted.
    let tab = Owner::new();
    tab.with(Conversations::provide);
    let conversations = tab.with(Conversations::expect);
    std::mem::forget(tab);
    let app = move || {
        provide_context(settings.clone());
        provide_context(conversations);
        view! { <App/> }
    };
    let render_again = {
        let (root, app) = (root.clone(), app.clone());
        move || {
            warn_once();
            root.set_text_content(None);
            mount_to(root.clone(), app.clone())
        }
    };
    let mounted = if is_as_rendered(&root) {
        hydrate_from(root.clone(), app)
    } else {
        form_input::save_input(&root);
        render_again()
    };
    list_markers::watch(root, mounted, render_again);
}

fn root() -> Option<HtmlElement> {
    document().get_element_by_id("app")?.dyn_into().ok()
}

fn settings() -> Option<Settings> {
    serde_json::from_str(&content(SETTINGS_ID)?).ok()
}

fn read_texts() -> bool {
    content(TEXTS_ID).is_some_and(|json| texts::read(&json))
}

fn content(id: &str) -> Option<String> {
    document().get_element_by_id(id)?.text_content()
}

/// Whether the element holds as many nodes as the server has sent. Hydration walks over them in order, so one node more
/// or less makes it attach to the wrong ones.
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

fn warn_once() {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        leptos::logging::warn!(
            "Something has changed the page, as extensions and translators do. It is rendered again."
        );
    });
}
