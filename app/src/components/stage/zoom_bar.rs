use leptos::prelude::*;

use super::pins::PinsButton;
use super::zoom::Zoom;
use crate::live::Live;
use crate::texts::texts;

/// The buttons that zoom, how far the picture is zoomed, and the button for pins.
#[component]
pub fn ZoomBar(zoom: Zoom, live: Live) -> impl IntoView {
    view! {
        <div class="zoom-bar scripted" role="group" aria-label=texts().zoom>
            <button r#type="button" aria-label=texts().zoom_out on:click=move |_| zoom.reduce()>
                "−"
            </button>
            <output>{move || zoom.percentage()}</output>
            <button r#type="button" aria-label=texts().zoom_in on:click=move |_| zoom.enlarge()>
                "+"
            </button>
            <button r#type="button" on:click=move |_| zoom.fit()>
                {texts().fit}
            </button>
            <PinsButton live/>
        </div>
    }
}
