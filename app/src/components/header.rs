use leptos::prelude::*;

/// The bar on top: the way home, and on the right what the page puts there.
#[component]
pub fn Header(#[prop(optional)] children: Option<Children>) -> impl IntoView {
    view! {
        <a class="skip" href="#main">"Skip to the content"</a>
        <header class="header">
            <a class="brand" href="/">
                <svg class="logo" viewBox="0 0 24 24" aria-hidden="true">
                    <circle cx="12" cy="12" r="11"/>
                    <circle cx="12" cy="12" r="6.5"/>
                    <circle cx="12" cy="12" r="2.5"/>
                </svg>
                "Tonesa"
            </a>
            {children.map(|children| view! { <div class="header-tools">{children()}</div> })}
        </header>
    }
}
