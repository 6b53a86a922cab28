use leptos::prelude::*;

use super::Header;

/// A page that has only something to say: a mark, a title, an explanation and a way on.
#[component]
pub fn Notice(
    /// A sign of at most three characters, for the eye only.
    mark: &'static str,
    /// What happened, in a few words.
    #[prop(into)]
    title: String,
    /// What may be behind it, and the way on.
    children: Children,
) -> AnyView {
    view! {
        <div class="page">
            <Header/>
            <main id="main" class="notice rings" tabindex="-1">
                <p class="notice-mark" aria-hidden="true">{mark}</p>
                <h1>{title}</h1>
                {children()}
            </main>
        </div>
    }
    .into_any()
}
