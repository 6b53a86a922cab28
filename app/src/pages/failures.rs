use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::{Header, Main, Notice};
#[cfg(feature = "ssr")]
use crate::problem::Problem;

/// Nothing is at this address: a real 404.
#[component]
pub fn NotFound() -> impl IntoView {
    set_status(404);
    view! {
        <Title text="Nothing here · Tonesa"/>
        <Notice
            mark="404"
            title="There is nothing at this link"
            detail="The picture may have been removed, or the link lost a letter on its way: they have eight, and \
                    capitals count. Ask whoever sent it for the whole link."
            label="Share a picture of your own"
            href="/"
        />
    }
}

/// The picture is there but cannot be read now: a 503.
#[component]
pub fn Unavailable() -> impl IntoView {
    set_status(503);
    view! {
        <Title text="Not reachable right now · Tonesa"/>
        <Notice
            mark="…"
            title="This picture cannot be reached right now"
            detail="Nothing is lost. The place where pictures are kept does not answer; it usually does again in a \
                    minute."
            label="Try again"
            // An empty address is the page's own.
            href=""
        />
    }
}

/// The picture is on its way to a page that the app has opened itself.
#[component]
pub fn Loading() -> impl IntoView {
    view! {
        <div class="page">
            <Header/>
            <Main class="loading">
                <p role="status">"Loading the picture…"</p>
            </Main>
        </div>
    }
}

/// The HTTP status of the answer, where the page is the server's.
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

/// A form was not accepted; for browsers without scripts, which show the server's answer as a page.
#[cfg(feature = "ssr")]
#[component]
pub fn Refused(problem: Problem) -> impl IntoView {
    view! {
        <Notice mark="!" title=problem.title detail=problem.detail label="Back to the start" href="/"/>
    }
}
