//! Clocks and the browser's events.

use gloo_events::EventListener;
use web_sys::{VisibilityState, window};

use crate::live::connection::ConnectionEvent;
use crate::live::effect::Now;
use crate::model::Timestamp;

/// The time and a random number for an input.
pub(super) fn now() -> Now {
    Now {
        millis: monotonic_millis(),
        random: js_sys::Math::random(),
    }
}

/// Milliseconds since the document was opened. Unlike the wall clock it is never set to another time.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole milliseconds, never negative"
)]
fn monotonic_millis() -> u64 {
    let performance = window().and_then(|window| window.performance());
    performance.map_or(0.0, |performance| performance.now()) as u64
}

/// The time by the computer's wall clock, to be shown.
#[expect(clippy::cast_possible_truncation, reason = "whole milliseconds")]
pub(super) fn wall_clock() -> Timestamp {
    Timestamp::from_unix_millis(js_sys::Date::now() as i64).unwrap_or(Timestamp::EPOCH)
}

/// Whether the tab is visible.
pub(super) fn is_visible() -> bool {
    window()
        .and_then(|window| window.document())
        .is_none_or(|document| document.visibility_state() == VisibilityState::Visible)
}

/// Reports the browser's events about the network and the page, until the listeners are dropped.
pub(super) fn listen(report: impl Fn(ConnectionEvent) + Clone + 'static) -> Vec<EventListener> {
    let Some(window) = window() else {
        return Vec::new();
    };
    let on_window = [
        ("online", ConnectionEvent::Online),
        ("offline", ConnectionEvent::Offline),
        ("pagehide", ConnectionEvent::PageHidden),
        ("pageshow", ConnectionEvent::PageShown),
    ];
    let mut listeners: Vec<EventListener> = on_window
        .into_iter()
        .map(|(name, event)| {
            let report = report.clone();
            EventListener::new(&window, name, move |_| report(event))
        })
        .collect();
    listeners.extend(window.document().map(|document| {
        EventListener::new(&document, "visibilitychange", move |_| {
            report(if is_visible() {
                ConnectionEvent::Visible
            } else {
                ConnectionEvent::Hidden
            });
        })
    }));
    listeners
}
