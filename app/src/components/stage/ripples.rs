use leptos::ev::AnimationEvent;
use leptos::prelude::*;

use super::place::decimal;
use crate::erased::ErasedFor;
use crate::live::{Live, Ripple};

/// The animation that ends last.
const LIFE: &str = "ripple-life";

/// Everyone's taps, positioned by fractions of the image. Hidden from screen readers.
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
                style=("--x", decimal(at.x()))
                style=("--y", decimal(at.y()))
                on:animationend=ended
            ></i>
        }
    };
    view! {
        <div class="ripples" aria-hidden="true">
            <ErasedFor each=move || live.ripples.get() key=|ripple| ripple.id children=ring/>
        </div>
    }
}
