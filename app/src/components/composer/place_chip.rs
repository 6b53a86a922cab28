use leptos::prelude::*;

use crate::components::places::Places;
use crate::model::Point;
use crate::texts::{fill, texts};

/// The place that the next message gets, and a button to leave it off.
#[component]
pub fn PlaceChip() -> impl IntoView {
    let places = Places::expect();
    let place = places.chosen;
    let leave_off = move |ev: leptos::ev::MouseEvent| {
        place.set(None);
        // By the keyboard; a tap would open the phone's.
        if ev.detail() == 0 {
            places.focus_field();
        }
    };
    let announced = move || place.get().map(announcement).unwrap_or_default();
    view! {
        <span class="visually-hidden" role="status">
            {announced}
        </span>
        <span class="place" hidden=move || place.get().is_none()>
            "◎ " {texts().where_you_tapped}
            <button r#type="button" aria-label=texts().leave_place_off on:click=leave_off>
                "×"
            </button>
        </span>
    }
}

/// For those who do not see the place.
fn announcement(at: Point) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a fraction in percent"
    )]
    let percent = |fraction: f64| (fraction * 100.0).round() as u32;
    let (x, y) = (percent(at.x()).to_string(), percent(at.y()).to_string());
    fill(texts().message_has_place, &[("x", &x), ("y", &y)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_announced_in_percent() {
        let text = announcement(Point::new(0.304, 1.0).unwrap());
        assert!(
            text.contains(" 30% from the left and 100% from the top"),
            "{text}"
        );
    }
}
