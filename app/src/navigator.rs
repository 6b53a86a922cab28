//! Going on without a reload. There is one such way, from the home page to that of the picture just uploaded, and the
//! browser's own back and forward along it: too little for a router, which would make up a fifth of the WASM. All
//! other links load their page.

use crate::browser::{effect, spawn};
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsValue;

#[cfg(feature = "hydrate")]
use crate::json;
use crate::live::api::fetch_upload_page;
use crate::model::ShortId;
use crate::source::Shown;
#[cfg(feature = "hydrate")]
use crate::source::Start;

/// The id of the element that holds a [`crate::source::Start`] as JSON.
#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub const START_ID: &str = "start";

/// What the page shows, and the way to change it.
#[derive(Clone, Copy)]
pub struct Navigator {
    shown: RwSignal<Shown>,
    /// The path of what is shown. A new fragment, as of the link to the content, is no way to another page.
    path: StoredValue<String>,
}

impl Navigator {
    /// Shows this first.
    pub fn start(shown: Shown) -> Self {
        let navigator = Self {
            shown: RwSignal::new(shown),
            path: StoredValue::new(String::new()),
        };
        // The window exists in the browser only, as do effects.
        effect(move || {
            navigator.path.set_value(address());
            let handle = window_event_listener(ev::popstate, move |_| navigator.follow_address());
            on_cleanup(move || handle.remove());
        });
        navigator
    }

    /// The app's own, from the context.
    pub fn expect() -> Self {
        expect_context()
    }

    /// What is shown now.
    pub fn shown(self) -> Shown {
        self.shown.get()
    }

    /// Goes on to an upload's page.
    pub fn go_to_upload(self, short_id: ShortId) {
        let address = format!("/u/{short_id}");
        let pushed = window()
            .history()
            .and_then(|history| history.push_state_with_url(&JsValue::NULL, "", Some(&address)));
        if pushed.is_ok() {
            self.load_upload(short_id);
        } else {
            load(&address);
        }
    }

    /// Back and forward change the address only; what it stands for is shown here.
    fn follow_address(self) {
        let address = address();
        if address == self.path.get_value() {
            return;
        }
        match address.strip_prefix("/u/").map(str::parse) {
            Some(Ok(short_id)) => self.load_upload(short_id),
            _ if address == "/" => self.show(Shown::Home),
            _ => load(&address),
        }
    }

    fn load_upload(self, short_id: ShortId) {
        let asked_at = address();
        self.show(Shown::Loading);
        spawn(async move {
            let page = fetch_upload_page(short_id).await;
            // The reader may have gone on meanwhile.
            if address() == asked_at {
                self.show(page.into());
            }
        });
    }

    fn show(self, shown: Shown) {
        let path = address();
        document().set_title(shown.title());
        say_address(&path);
        self.path.set_value(path);
        self.shown.set(shown);
        // Whoever listens to the page, or goes through it by keyboard, starts at its content.
        request_animation_frame(|| {
            let main = document().get_element_by_id("main");
            if let Some(main) = main.and_then(|main| wasm_bindgen::JsCast::dyn_into(main).ok()) {
                _ = web_sys::HtmlElement::focus(&main);
            }
        });
    }
}

/// What the server put into the document for the browser.
#[cfg(feature = "hydrate")]
pub fn start_of_document() -> Option<Start> {
    let text = document().get_element_by_id(START_ID)?.text_content()?;
    json::read(&text)
}

/// Whoever shares the page from the browser's own menu shares what its head calls its address.
fn say_address(path: &str) {
    let origin = window().location().origin().unwrap_or_default();
    for (selector, attribute) in [
        ("link[rel=canonical]", "href"),
        ("meta[property='og:url']", "content"),
    ] {
        if let Ok(Some(element)) = document().query_selector(selector) {
            // Fails only for a name that is none.
            _ = element.set_attribute(attribute, &format!("{origin}{path}"));
        }
    }
}

fn address() -> String {
    window().location().pathname().unwrap_or_default()
}

fn load(address: &str) {
    // Fails only for an address that is none.
    _ = window().location().set_href(address);
}
