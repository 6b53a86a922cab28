//! What Tonesa's server and browser share: the wire vocabulary, the pages and their components, and the browser's
//! side of the socket. One crate, features `ssr` (server) and `hydrate` (browser).

pub mod event;
pub mod live;
pub mod model;
pub mod problem;
pub mod source;
pub mod uploading;

use leptos::prelude::*;
use leptos_router::{
    components::{Route, Router, Routes},
    path,
};

/// The whole page's body.
#[component]
pub fn App() -> impl IntoView {
    view! { <Router><Routes fallback=|| "nope"><Route path=path!("/") view=|| view!{<p>"Tonesa"</p>}/><Route path=path!("/u/:id") view=Up/></Routes></Router> }
}

#[component]
fn Up() -> impl IntoView {
    let params = leptos_router::hooks::use_params_map();
    let page = Resource::new_blocking(
        move || params.read().get("id").unwrap_or_default(),
        |id| async move { serde_json::from_str::<model::UploadPage>(&id).ok() },
    );
    view! { <Suspense>{move || page.get().map(|p| p.map(|p| p.page.messages.into_iter().map(|m| view!{<p>{m.content.to_string()}</p>}).collect_view()))}</Suspense> }
}
