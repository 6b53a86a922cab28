//! What the machine cannot know by itself: time, chance and the browser's events.

use std::fmt::Debug;
use std::str::FromStr;

use gloo_events::EventListener;
use web_sys::{VisibilityState, window};

use crate::live::effect::Now;
use crate::live::line::LineEvent;
use crate::model::Timestamp;

/// This moment, and a chance.
pub(super) fn now() -> Now {
    Now {
        millis: millis().unsigned_abs(),
        random: js_sys::Math::random(),
    }
}

/// This moment by the computer's own clock.
pub(super) fn moment() -> Timestamp {
    Timestamp::from_unix_millis(millis()).unwrap_or(Timestamp::EPOCH)
}

#[expect(clippy::cast_possible_truncation, reason = "whole milliseconds")]
fn millis() -> i64 {
    js_sys::Date::now() as i64
}

/// A name that nobody else makes up: 128 random bits in hexadecimal digits.
///
/// `crypto.randomUUID` would do, but exists on HTTPS and localhost only.
pub(super) fn random_name<T: FromStr<Err: Debug>>() -> T {
    let mut bytes = [0; 16];
    let filled = window()
        .and_then(|window| window.crypto().ok())
        .and_then(|crypto| crypto.get_random_values_with_u8_array(&mut bytes).ok());
    if filled.is_none() {
        bytes.fill_with(|| js_sys::Math::random().to_bits().to_le_bytes()[3]);
    }
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    let name: String = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect();
    name.parse().expect("32 hexadecimal digits are a name")
}

/// Whether the tab is in view.
pub(super) fn is_visible() -> bool {
    window()
        .and_then(|window| window.document())
        .is_none_or(|document| document.visibility_state() == VisibilityState::Visible)
}

/// Tells what the browser says of the network and the page, until the listeners are dropped.
pub(super) fn listen(tell: impl Fn(LineEvent) + Clone + 'static) -> Vec<EventListener> {
    let Some(window) = window() else {
        return Vec::new();
    };
    let on_window = [
        ("online", LineEvent::Online),
        ("offline", LineEvent::Offline),
        ("pagehide", LineEvent::Left),
        ("pageshow", LineEvent::Restored),
    ];
    let mut listeners: Vec<EventListener> = on_window
        .into_iter()
        .map(|(name, event)| {
            let tell = tell.clone();
            EventListener::new(&window, name, move |_| tell(event))
        })
        .collect();
    listeners.extend(window.document().map(|document| {
        EventListener::new(&document, "visibilitychange", move |_| {
            tell(if is_visible() {
                LineEvent::Shown
            } else {
                LineEvent::Hidden
            });
        })
    }));
    listeners
}
