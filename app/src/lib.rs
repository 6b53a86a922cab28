//! What Tonesa's server and browser share: the wire vocabulary, the pages and their components, and the browser's
//! side of the socket. One crate, features `ssr` (server) and `hydrate` (browser).

pub mod event;
pub mod live;
pub mod model;
pub mod pages;
pub mod problem;
pub mod source;
pub mod uploading;

mod browser;
mod components;
#[cfg(feature = "ssr")]
mod document;
mod eager;
mod erased;
mod json;
mod navigator;
#[cfg(feature = "ssr")]
mod share;

use leptos::prelude::*;

use browser::Hydrated;
#[cfg(feature = "ssr")]
pub use document::{Document, document, refused_document};
use eager::IntoEager;
use navigator::Navigator;
use pages::{Home, Loading, NotFound, Unavailable, Upload};
use source::{Shown, Start};

/// The whole page's body: one of the [`pages`].
#[component]
pub fn App(
    /// What to show first; the server's and the browser's first render must have the same.
    start: Start,
) -> impl IntoView {
    provide_context(start.site);
    provide_context(Hydrated::watch());
    let navigator = Navigator::start(start.shown);
    provide_context(navigator);
    move || match navigator.shown() {
        Shown::Home => view! { <Home/> }.into_eager(),
        Shown::Upload(page) => view! { <Upload page=*page/> }.into_eager(),
        Shown::NotFound => view! { <NotFound/> }.into_eager(),
        Shown::Unavailable => view! { <Unavailable/> }.into_eager(),
        Shown::Loading => view! { <Loading/> }.into_eager(),
    }
}

/// Takes over the page that the server rendered. A document without the data for it stays as it is.
///
/// As `leptos::mount::hydrate_body` does, but without what it brings along for resources, of which there are none: 2 kB
/// of WASM.
#[cfg(feature = "hydrate")]
pub fn hydrate() {
    use leptos::tachys::dom::body;
    use leptos::tachys::hydration::Cursor;
    use leptos::tachys::view::PositionState;
    use wasm_bindgen::JsCast;

    let Some(start) = navigator::start_of_document() else {
        return;
    };
    // Fails only when there is an executor already.
    _ = any_spawner::Executor::init_wasm_bindgen();
    let owner = Owner::new_root(None);
    let page = owner.with(|| {
        let body = Cursor::new(body().unchecked_into());
        view! { <App start/> }.hydrate::<true>(&body, &PositionState::default())
    });
    // They live as long as the document.
    std::mem::forget((owner, page));
}
