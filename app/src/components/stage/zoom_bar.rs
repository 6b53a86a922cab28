use leptos::prelude::*;

use super::zoom::Zoom;

/// The buttons that zoom, how far the picture is zoomed, and further buttons.
#[component]
pub fn ZoomBar<C: IntoView + 'static>(zoom: Zoom, children: TypedChildren<C>) -> impl IntoView {
    view! {
        <div class="zoom-bar scripted" role="group" aria-label="Zoom">
            <button r#type="button" aria-label="Zoom out" on:click=move |_| zoom.reduce()>
                "−"
            </button>
            <output>{move || zoom.percentage()}</output>
            <button r#type="button" aria-label="Zoom in" on:click=move |_| zoom.enlarge()>
                "+"
            </button>
            <button r#type="button" on:click=move |_| zoom.fit()>
                "Fit"
            </button>
            {children.into_inner()()}
        </div>
    }
}
