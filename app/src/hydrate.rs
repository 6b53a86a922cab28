//! Taking over the page that the server rendered. Each page has a program of its own that can do nothing else: it makes
//! no pages, and a link leads to the server's next one.

use any_spawner::Executor;
use leptos::prelude::*;
use leptos::tachys::dom::body;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::view::PositionState;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsCast;

use crate::browser::effect;
use crate::json;
use crate::pages::{Home, Upload};
use crate::source::START_ID;

/// The home page.
pub fn home() {
    hydrate(|start| view! { <Home start/> });
}

/// An upload's page.
pub fn upload() {
    hydrate(|start| view! { <Upload start/> });
}

/// As `leptos::mount::hydrate_body` does, but without what it brings along for resources, of which there are none: 2 kB
/// of WASM. A document without the data for its page stays as it is and works as without scripts.
fn hydrate<S: DeserializeOwned, V: RenderHtml>(page: impl FnOnce(S) -> V) {
    let Some(start) = start() else {
        return tell("failed");
    };
    // Fails only when there is an executor already.
    _ = Executor::init_wasm_bindgen();
    let owner = Owner::new_root(None);
    let page = owner.with(|| {
        let body = Cursor::new(body().unchecked_into());
        let page = page(start).hydrate::<true>(&body, &PositionState::default());
        effect(|| tell("hydrated"));
        page
    });
    // They live as long as the document.
    std::mem::forget((owner, page));
}

/// What the server put into the document for the browser.
fn start<S: DeserializeOwned>() -> Option<S> {
    let text = document().get_element_by_id(START_ID)?.text_content()?;
    json::read(&text)
}

/// Tells whoever looks from outside, as the style sheet and the browser tests do, what became of the page.
fn tell(what: &str) {
    if let Some(root) = document().document_element() {
        root.set_class_name(what);
    }
}
