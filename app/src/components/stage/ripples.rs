use leptos::ev::AnimationEvent;
use leptos::prelude::*;

use super::place::decimal;
use crate::components::avatar::{display_name, hue_of_touch};
use crate::erased::ErasedFor;
use crate::live::{Live, Ripple};
use crate::texts::texts;

/// The animation that ends last.
const LIFE: &str = "ripple-life";

/// Everyone's touches, positioned by fractions of the image: ripples with the alias of who touched, and for a while the
/// dots that are left of them. Hidden from screen readers.
#[component]
pub fn Ripples(live: Live) -> impl IntoView {
    let mark = move |ripple: Ripple| {
        let (id, at) = (ripple.id, ripple.at);
        let ended = move |ev: AnimationEvent| {
            if ev.animation_name() == LIFE {
                live.end_ripple(id);
            }
        };
        let label = label(&ripple).map(|text| view! { <span class="ripple-name">{text}</span> });
        view! {
            <i
                class=class(&ripple)
                style=("--x", decimal(at.x()))
                style=("--y", decimal(at.y()))
                on:animationend=ended
            >
                {label}
            </i>
        }
    };
    let key = |ripple: &Ripple| 2 * ripple.id + u64::from(ripple.is_dot);
    view! {
        <div class="ripples" aria-hidden="true">
            <ErasedFor each=move || live.ripples.get() key children=mark/>
        </div>
    }
}

fn class(ripple: &Ripple) -> String {
    let is = |is_set: bool, class| if is_set { class } else { "" };
    [
        if ripple.is_dot { "dot " } else { "ripple " },
        hue_of_touch(&ripple.by),
        is(ripple.by.mine, " mine"),
        is(!ripple.is_sent, " unsent"),
        // The label stays inside of the image.
        is(ripple.at.x() > 0.7, " leftward"),
        is(ripple.at.y() > 0.85, " above"),
    ]
    .concat()
}

/// What stands beside the ripple: the alias of somebody else.
fn label(ripple: &Ripple) -> Option<String> {
    match &ripple.by.name {
        _ if ripple.is_dot => None,
        _ if !ripple.is_sent => Some(texts().not_sent.to_owned()),
        Some(name) if !ripple.by.mine => Some(display_name(name).to_owned()),
        _ => None,
    }
}
