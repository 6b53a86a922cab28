use leptos::prelude::*;

/// The bar on top with nothing but the way home.
#[component]
pub fn Header() -> impl IntoView {
    view! {
        <header class="header"><Brand/></header>
    }
}

/// The way home, and for the keyboard the way past it.
#[component]
pub fn Brand() -> impl IntoView {
    view! {
        <div class="brand-box">
            // Not for the router: the browser moves the focus.
            <a class="skip" href="#main" rel="external">"Skip to the content"</a>
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
