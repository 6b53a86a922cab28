use leptos::prelude::*;

use super::zoom::Zoom;

/// The buttons that zoom, and how far the picture is zoomed.
#[component]
pub fn ZoomBar(zoom: Zoom) -> impl IntoView {
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
        </div>
    }
}
