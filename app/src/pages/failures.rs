use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::{Footer, Header, Main, Notice};
use crate::texts::texts;

/// Shown for an unknown address, with status 404.
#[component]
pub fn NotFound() -> impl IntoView {
    set_status(404);
    let texts = texts();
    view! {
        <Title text=tab_title(texts.nothing_here)/>
        <Notice
            mark="404"
            title=texts.nothing_at_link
            detail=texts.nothing_at_link_detail
            label=texts.share_own
            href="/"
        />
    }
}

/// Shown for an upload that was deleted or has expired, with status 410.
#[component]
pub fn Gone() -> impl IntoView {
    set_status(410);
    let texts = texts();
    view! {
        <Title text=tab_title(texts.gone_title)/>
        <Notice
            mark="410"
            title=texts.gone_title
            detail=texts.gone_detail
            label=texts.share_own
            href="/"
        />
    }
}

/// Shown while the store is unavailable, with status 503.
#[component]
pub fn Unavailable() -> impl IntoView {
    set_status(503);
    let texts = texts();
    view! {
        <Title text=tab_title(texts.not_reachable)/>
        <Notice
            mark="…"
            title=texts.image_not_reachable
            detail=texts.image_not_reachable_detail
            label=texts.try_again
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
                <p role="status">{texts().loading_image}</p>
            </Main>
            <Footer/>
        </div>
    }
}

/// The title of the browser's tab.
pub(super) fn tab_title(title: &str) -> String {
    format!("{title} · Tonesa")
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
