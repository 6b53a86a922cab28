//! Thin shells around the browser's interfaces. On the server they compile and are never called, or answer "nothing".

pub mod calendar;
pub mod chosen;
pub mod clipboard;
pub mod clock;
pub mod letters;
pub mod storage;

use std::pin::Pin;

use js_sys::Reflect;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestInit, Response};

/// Runs in the browser, once the page is hydrated and whenever a signal that it reads has changed. One code for all:
/// each type of effect would bring the WASM a kilobyte of its own.
pub fn effect(run: impl FnMut() + 'static) {
    let run: Box<dyn FnMut()> = Box::new(run);
    Effect::new(run);
}

/// Runs the future in the browser. One code for all, as for [`effect`].
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    let future: Pin<Box<dyn Future<Output = ()>>> = Box::pin(future);
    leptos::task::spawn_local(future);
}

/// Fetches what the next page will need, after all else, so that the browser has it then. (Safari knows no
/// `<link rel=prefetch>`.) What fails is fetched by the page itself.
pub fn prefetch(address: String) {
    spawn(async move {
        let options = RequestInit::new();
        // Fails only for what is no object.
        _ = Reflect::set(&options, &"priority".into(), &"low".into());
        let response = JsFuture::from(window().fetch_with_str_and_init(&address, &options)).await;
        // A browser keeps only what is read to its end.
        if let Some(body) = response
            .ok()
            .and_then(|response| response.unchecked_into::<Response>().array_buffer().ok())
        {
            _ = JsFuture::from(body).await;
        }
    });
}

/// Whether the browser has taken over the server's page. The first render must equal the server's, so whatever depends
/// on the reader's zone, storage or abilities waits for this.
#[derive(Clone, Copy)]
pub struct Hydrated(RwSignal<bool>);

impl Hydrated {
    /// False on the server and in the first render, true from then on.
    pub fn watch() -> Self {
        let hydrated = RwSignal::new(false);
        effect(move || hydrated.set(true));
        Self(hydrated)
    }

    /// Tracks the change.
    pub fn get(self) -> bool {
        self.0.get()
    }
}
