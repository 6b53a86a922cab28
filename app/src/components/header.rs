use leptos::prelude::*;

use crate::texts::texts;

/// The bar at the top of the pages without a picture.
#[component]
pub fn Header() -> impl IntoView {
    view! {
        <header class="header">
            <Brand/>
            <NewPicture/>
        </header>
    }
}

/// The link to the upload form, for pages that show something else.
#[component]
pub fn NewPicture() -> impl IntoView {
    view! {
        <a class="new-picture" href="/" aria-label=texts().new_picture>
            "+"
            <span>{texts().new_picture}</span>
        </a>
    }
}

/// The link to the home page, and a link for keyboards that skips the header.
#[component]
pub fn Brand() -> impl IntoView {
    view! {
        <div class="brand-box">
            // Not handled by the router: the browser moves the focus.
            <a class="skip" href="#main" rel="external">{texts().skip_to_content}</a>
            <a class="brand" href="/">
                <svg class="logo" viewBox="0 0 24 24" aria-hidden="true">
                    <circle cx="12" cy="12" r="11"></circle>
                    <circle cx="12" cy="12" r="6.5"></circle>
                    <circle cx="12" cy="12" r="2.5"></circle>
                </svg>
                "Tonesa"
            </a>
        </div>
    }
}
