use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::{Header, Main, Notice};

/// Shown for an unknown address, with status 404.
#[component]
pub fn NotFound() -> impl IntoView {
    set_status(404);
    view! {
        <Title text="Nothing here · Tonesa"/>
        <Notice
            mark="404"
            title="There is nothing at this link"
            detail="The image may have been removed, or the link lost a letter on its way: they have eight, and \
                    capitals count. Ask whoever sent it for the whole link."
            label="Share an image of your own"
            href="/"
        />
    }
}

/// Shown while the store is unavailable, with status 503.
#[component]
pub fn Unavailable() -> impl IntoView {
    set_status(503);
    view! {
        <Title text="Not reachable right now · Tonesa"/>
        <Notice
            mark="…"
            title="This image cannot be reached right now"
            detail="Nothing is lost. The place where images are kept does not answer; it usually does again in a \
                    minute."
            label="Try again"
            // An empty address reloads the page.
            href=""
        />
    }
}

/// Shown while the app loads an upload itself, after a navigation without a page load.
#[component]
pub fn Loading() -> impl IntoView {
    view! {
        <div class="page">
            <Header/>
            <Main class="loading">
                <p role="status">"Loading the image…"</p>
            </Main>
        </div>
    }
}

/// Sets the HTTP status of the response; does nothing in the browser.
fn set_status(status: u16) {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>()
        && let Ok(status) = status.try_into()
    {
        response.set_status(status);
    }
    #[cfg(not(feature = "ssr"))]
    let _ = status;
}
