use leptos::prelude::*;

use super::header::Header;
use super::main_part::Main;

/// A page that has only something to say: a mark, a title, an explanation and a link to go on with.
#[component]
pub fn Notice(
    /// A sign of at most three characters, for the eye only.
    mark: &'static str,
    /// What happened, in a few words.
    #[prop(into)]
    title: String,
    /// What may be behind it, and what to do.
    #[prop(into)]
    detail: String,
    /// What the link to go on with is called.
    label: &'static str,
    /// Where it leads. The page there is loaded anew.
    href: &'static str,
) -> impl IntoView {
    view! {
        <div class="page">
            <Header/>
            <Main class="notice rings">
                <p class="notice-mark" aria-hidden="true">
                    {mark}
                </p>
                <h1>{title}</h1>
                <p>{detail}</p>
                <p>
                    <a class="button primary" href=href rel="external">
                        {label}
                    </a>
                </p>
            </Main>
        </div>
    }
}
