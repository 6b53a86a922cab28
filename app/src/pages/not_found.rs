use leptos::prelude::*;
use leptos_meta::Title;

use super::answer_with;
use crate::components::Notice;

/// Nothing is at this address: a real 404.
#[component]
pub fn NotFound() -> impl IntoView {
    answer_with(404);
    #[cfg(feature = "ssr")]
    super::share::describe_failure();
    view! {
        <Title text="Nothing here · Tonesa"/>
        <Notice mark="404" title="There is nothing at this link">
            <p>
                "The picture may have been removed, or the link lost a letter on its way: they have eight, and capitals \
                 count. Ask whoever sent it for the whole link."
            </p>
            <p><a class="button primary" href="/">"Share a picture of your own"</a></p>
        </Notice>
    }
}
