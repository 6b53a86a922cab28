//! What others point at, for those who do not see it: hints at the stage's edge, and sentences for screen readers.

use std::time::Duration;

use leptos::prelude::*;

use super::keyboard::focus_stage;
use super::place::decimal;
use super::zoom::Zoom;
use crate::components::announcement::Note;
use crate::components::avatar::{display_name, hue_of_touch};
use crate::erased::{ErasedFor, effect};
use crate::live::{Live, Ripple};
use crate::model::Point;
use crate::texts::{fill, texts};

/// The maximum number of hints that are shown at once, one for each tab. When there are more, the oldest are removed.
const MAX_HINTS: usize = 3;
/// A screen reader hears at most one sentence in this time.
const SPEECH_INTERVAL: Duration = Duration::from_secs(5);

/// Buttons at the edge that lead to where others point, as long as that is out of view, and a live region.
#[component]
pub fn Pointing(zoom: Zoom, live: Live) -> impl IntoView {
    let hints = RwSignal::new(Vec::<Ripple>::new());
    let spoken = Note::new(SPEECH_INTERVAL);
    let next_id = StoredValue::new(0);
    // Runs when somebody touches, and when another part of the image is shown.
    effect(move || {
        let is_hidden = |ripple: &Ripple| zoom.edge(ripple.at).is_some();
        let mut shown = hints.get_untracked();
        shown.retain(is_hidden);
        for ripple in live.ripples.get() {
            if ripple.id < next_id.get_value() {
                continue;
            }
            next_id.set_value(ripple.id + 1);
            if ripple.by.mine {
                continue;
            }
            if !untrack(|| spoken.is_shown()) {
                spoken.show(sentence(&ripple));
            }
            if is_hidden(&ripple) {
                shown.retain(|hint| hint.by.tab != ripple.by.tab);
                shown.truncate(MAX_HINTS - 1);
                shown.insert(0, ripple);
            }
        }
        hints.set(shown);
    });
    let hint = move |ripple: Ripple| {
        let (id, at) = (ripple.id, ripple.at);
        let edge = move || zoom.edge(at).unwrap_or_default();
        let faded = move |_| hints.update(|hints| hints.retain(|hint| hint.id != id));
        view! {
            <button
                class=["edge ", hue_of_touch(&ripple.by)].concat()
                r#type="button"
                style=("--x", move || decimal(edge().0))
                style=("--y", move || decimal(edge().1))
                on:click=move |ev| {
                    focus_stage(&ev);
                    zoom.reveal(at);
                }
                on:animationend=faded
            >
                <bdi>{who(&ripple)}</bdi>
                " " {texts().points_here} " "
                {move || arrow(edge())}
            </button>
        }
    };
    view! {
        <div class="edges">
            <ErasedFor each=move || hints.get() key=|ripple| ripple.id children=hint/>
        </div>
        <p class="visually-hidden" aria-live="polite">
            {spoken.view()}
        </p>
    }
}

fn who(ripple: &Ripple) -> String {
    let name = ripple.by.name.as_ref();
    name.map_or(texts().someone, display_name).to_owned()
}

/// What a screen reader hears: `Kim points at the upper left`.
fn sentence(ripple: &Ripple) -> String {
    let who = who(ripple);
    let parts = [("name", who.as_str()), ("place", part_of_image(ripple.at))];
    fill(texts().points_at, &parts)
}

/// In which ninth of the image the point is.
fn part_of_image(at: Point) -> &'static str {
    let third =
        |fraction: f64| usize::from(fraction > 1.0 / 3.0) + usize::from(fraction > 2.0 / 3.0);
    let texts = texts();
    let parts = [
        [texts.upper_left, texts.top, texts.upper_right],
        [texts.left, texts.middle, texts.right],
        [texts.lower_left, texts.bottom, texts.lower_right],
    ];
    parts[third(at.y())][third(at.x())]
}

/// The direction in which a place at the edge lies, given as parts of the stage's width and height.
fn arrow((x, y): (f64, f64)) -> &'static str {
    match (x, y) {
        _ if x <= 0.0 => "←",
        _ if x >= 1.0 => "→",
        _ if y <= 0.0 => "↑",
        _ => "↓",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_parts_of_the_image_have_names() {
        let part = |x, y| part_of_image(Point::new(x, y).unwrap());
        assert_eq!(part(0.0, 0.0), "upper left");
        assert_eq!(part(0.5, 0.1), "top");
        assert_eq!(part(0.5, 0.5), "middle");
        assert_eq!(part(0.9, 0.5), "right");
        assert_eq!(part(0.2, 0.8), "lower left");
        assert_eq!(part(1.0, 1.0), "lower right");
    }

    #[test]
    fn an_arrow_points_over_the_edge() {
        assert_eq!(arrow((0.0, 0.4)), "←");
        assert_eq!(arrow((1.0, 1.0)), "→");
        assert_eq!(arrow((0.3, 0.0)), "↑");
        assert_eq!(arrow((0.3, 1.0)), "↓");
    }
}
