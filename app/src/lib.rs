//! The part of Tonesa that server and browser share: the protocol's types, the pages and their components, and the
//! browser's side of the socket. One crate with the features `ssr` (server) and `hydrate` (browser).

// Views are nested types.
#![recursion_limit = "256"]

pub mod event;
pub mod live;
pub mod model;
pub mod page_data;
pub mod problem;
pub mod settings;
pub mod uploading;

mod browser;
mod components;
mod erased;
#[cfg(feature = "ssr")]
mod link_preview;
mod pages;
#[cfg(feature = "ssr")]
mod shell;
#[cfg(feature = "hydrate")]
mod start;

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::path;

use crate::browser::Hydrated;
use crate::erased::erased;
use crate::live::Conversations;
use crate::pages::{HomePage, ImagePage, NotFound};

#[cfg(feature = "ssr")]
pub use link_preview::Subject;
#[cfg(feature = "ssr")]
pub use shell::{problem_page, shell};
#[cfg(feature = "hydrate")]
pub use start::start;

/// The whole app: a page for each route. It expects [`settings::Settings`] in the context, and on the server a
/// [`page_data::PageSource`].
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    Hydrated::provide();
    // In the browser they outlive the app: see `start`.
    if use_context::<Conversations>().is_none() {
        Conversations::provide();
    }
    view! {
        <Router>
            <FlatRoutes fallback=|| erased(NotFound())>
                <Route path=path!("/") view=|| erased(HomePage())/>
                <Route path=path!("/u/:id") view=|| erased(ImagePage())/>
            </FlatRoutes>
        </Router>
    }
}
