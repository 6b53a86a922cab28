use leptos::prelude::*;

use super::footer::Footer;
use super::header::Header;
use super::main_part::Main;

/// A page with a message: a mark, a title, an explanation and a link.
#[component]
pub fn Notice(
    /// A decoration of at most three characters, hidden from screen readers.
    mark: &'static str,
    /// What happened, in a few words.
    #[prop(into)]
    title: String,
    /// Why it may have happened, and what to do.
    #[prop(into)]
    detail: String,
    /// The language of that, if it is another than the page's.
    #[prop(default = None)]
    detail_lang: Option<&'static str>,
    /// The link's text.
    label: &'static str,
    /// The link's target, which is loaded as a new document.
    href: &'static str,
) -> impl IntoView {
    view! {
        <div class="page">
            <Header/>
            <Main class="notice">
                <p class="notice-mark" aria-hidden="true">
                    {mark}
                </p>
                <h1>{title}</h1>
                <p lang=detail_lang>{detail}</p>
                <p>
                    <a class="button primary" href=href rel="external">
                        {label}
                    </a>
                </p>
            </Main>
            <Footer/>
        </div>
    }
}
