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
    #[prop(into)]
    detail: String,
    /// What the way on is called.
    way: &'static str,
    /// Where it leads.
    to: &'static str,
) -> impl IntoView {
    view! {
        <div class="page">
            <Header/>
            <main id="main" class="notice rings" tabindex="-1">
                <p class="notice-mark" aria-hidden="true">
                    {mark}
                </p>
                <h1>{title}</h1>
                <p>{detail}</p>
                <p>
                    <a class="button primary" href=to>
                        {way}
                    </a>
                </p>
            </main>
        </div>
    }
}
