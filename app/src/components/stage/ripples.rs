use leptos::ev::AnimationEvent;
use leptos::prelude::*;

use super::place::percentage;
use crate::live::{Live, Ripple};

/// The animation whose end is the ripple's own; its two rings end earlier or at the same time.
const LIFE: &str = "ripple-life";

/// Everyone's taps, each at its fraction of the picture whatever its size. For the eye only.
#[component]
pub fn Ripples(live: Live) -> impl IntoView {
    let ring = move |Ripple { id, at, mine }| {
        let ended = move |ev: AnimationEvent| {
            if ev.animation_name() == LIFE {
                live.remove_ripple(id);
            }
        };
        view! {
            <i
                class="ripple"
                class:mine=mine
                style:left=percentage(at.x())
                style:top=percentage(at.y())
                on:animationend=ended
            ></i>
        }
    };
    view! {
        <div class="ripples" aria-hidden="true">
            <For each=move || live.ripples.get() key=|ripple| ripple.id children=ring/>
        </div>
    }
}
