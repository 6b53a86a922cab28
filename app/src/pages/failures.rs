use leptos::prelude::*;

use crate::components::Notice;
use crate::problem::Problem;

/// Nothing is at this address: a real 404.
#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <Notice
            mark="404"
            title="There is nothing at this link"
            detail="The picture may have been removed, or the link lost a letter on its way: they have eight, and \
                    capitals count. Ask whoever sent it for the whole link."
            way="Share a picture of your own"
            to="/"
        />
    }
}

/// The picture is there but cannot be read now: a 503.
#[component]
pub fn Unavailable() -> impl IntoView {
    view! {
        <Notice
            mark="…"
            title="This picture cannot be reached right now"
            detail="Nothing is lost. The place where pictures are kept does not answer; it usually does again in a \
                    minute."
            way="Try again"
            // An empty address is the page's own.
            to=""
        />
    }
}

/// A form was not accepted; for browsers without scripts, which show the server's answer as a page.
#[component]
pub fn Refused(problem: Problem) -> impl IntoView {
    view! {
        <Notice mark="!" title=problem.title detail=problem.detail way="Back to the start" to="/"/>
    }
}
