use leptos::prelude::*;
use leptos_meta::Title;

use super::answer_with;
use crate::components::Notice;

/// The picture is there but cannot be read now: a 503.
#[component]
pub fn Unavailable() -> impl IntoView {
    answer_with(503);
    #[cfg(feature = "ssr")]
    super::share::describe_failure();
    view! {
        <Title text="Not reachable right now · Tonesa"/>
        <Notice mark="…" title="This picture cannot be reached right now">
            <p>"Nothing is lost. The place where pictures are kept does not answer; it usually does again in a minute."</p>
            // An empty address is this page's own; `rel` keeps the router from answering it without asking the server.
            <p><a class="button primary" href="" rel="external">"Try again"</a></p>
        </Notice>
    }
}
