use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::path;

use crate::browser::Hydrated;
use crate::components::PictureDeletions;
use crate::erased::erase;
use crate::live::Conversations;
use crate::pages::{HomePage, ImagePage, NotFound};

/// The whole app: a page for each route. It expects [`crate::settings::Settings`] in the context, and on the server a
/// [`crate::page_data::PageSource`].
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    Hydrated::provide();
    PictureDeletions::provide();
    // In the browser they outlive the app: see `start`.
    if use_context::<Conversations>().is_none() {
        Conversations::provide();
    }
    view! {
        <Router>
            <FlatRoutes fallback=|| erase(NotFound())>
                <Route path=path!("/") view=|| erase(HomePage())/>
                <Route path=path!("/u/:id") view=|| erase(ImagePage())/>
            </FlatRoutes>
        </Router>
    }
}
