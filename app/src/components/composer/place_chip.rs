use leptos::prelude::*;

use crate::components::places::Places;

/// The place that the next message gets, and a button to leave it off.
#[component]
pub fn PlaceChip() -> impl IntoView {
    let places = Places::expect();
    let place = places.next;
    let leave_off = move |ev: leptos::ev::MouseEvent| {
        place.set(None);
        // By the keyboard; a tap would open the phone's.
        if ev.detail() == 0 {
            places.focus_field();
        }
    };
    view! {
        <span class="place" hidden=move || place.get().is_none()>
            "◎ where you tapped"
            <button r#type="button" aria-label="Leave the place off" on:click=leave_off>
                "×"
            </button>
        </span>
    }
}
