use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::path;

use crate::browser::Hydrated;
use crate::live::Conversations;
use crate::pages::{HomePage, ImagePage, NotFound};

/// The whole app: its pages by their addresses. It needs [`settings::Settings`] in the context, and on the server a
/// [`page_data::PageSource`].
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    Hydrated::provide();
    Conversations::provide();
    view! {
        <Router>
            <FlatRoutes fallback=NotFound>
                <Route path=path!("/") view=HomePage/>
                <Route path=path!("/u/:id") view=ImagePage/>
            </FlatRoutes>
        </Router>
    }
}
