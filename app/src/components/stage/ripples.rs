use leptos::prelude::*;

use crate::live::{Live, Ripple};

/// The animation whose end is the ripple's own; its two rings end earlier or at the same time.
const LIFE: &str = "ripple-life";

/// Everyone's taps, each at its fraction of the picture whatever its size. For the eye only. None are there in the first
/// render, so that their places, which only the browser may set under the page's policy, never stand in its HTML.
#[component]
pub fn Ripples(live: Live) -> impl IntoView {
    let ring = move |ripple: Ripple| {
        let percent = |fraction: f64| format!("{}%", fraction * 100.0);
        view! {
            <i
                class="ripple"
                class:mine=ripple.mine
                style:left=percent(ripple.at.x())
                style:top=percent(ripple.at.y())
                on:animationend=move |ev| if ev.animation_name() == LIFE { live.finish_ripple(ripple.id) }
            ></i>
        }
    };
    view! {
        <div class="ripples" aria-hidden="true">
            <For each=move || live.ripples.get() key=|ripple| ripple.id children=ring/>
        </div>
    }
}
