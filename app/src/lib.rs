//! What Tonesa's server and browser share: the wire vocabulary, the pages and their components, and the browser's
//! side of the socket. One crate, features `ssr` (server) and `hydrate` (browser).

// Views are types that nest as deeply as the page does.
#![recursion_limit = "256"]

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
mod shell;

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{SsrMode, path};

use browser::Hydrated;
use pages::{Home, NotFound, Upload};
#[cfg(feature = "ssr")]
pub use shell::{refused_document, shell};
use source::Site;

/// The whole page's body: one of the [`pages`], by the address.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_context(Site::shared());
    provide_context(Hydrated::watch());
    view! {
        <Router>
            <Routes fallback=NotFound>
                <Route path=path!("/") view=Home ssr=SsrMode::Async/>
                <Route path=path!("/u/:short_id") view=Upload ssr=SsrMode::Async/>
            </Routes>
        </Router>
    }
}
