//! What the image, the messages and the composer of a page share about places: which pin is lit, and where the next
//! message belongs.

use std::num::NonZeroU32;

use leptos::ev::{Event, MouseEvent};
use leptos::html::Textarea;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use crate::browser::{focus, target};
use crate::model::Point;

/// A page's places. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// The pin that is pointed at, on the image or in a message.
    pub lit: RwSignal<Option<NonZeroU32>>,
    /// Whether the image shows its pins.
    pub shown: RwSignal<bool>,
    /// A place that the image is to bring into view.
    pub revealed: RwSignal<Option<Point>>,
    /// The place that was chosen for the message that is being written.
    pub chosen: RwSignal<Option<Point>>,
    /// The text field for that message.
    pub field: NodeRef<Textarea>,
}

impl Places {
    /// Provides those of a page.
    pub fn provide() -> Self {
        let places = Self {
            lit: RwSignal::new(None),
            shown: RwSignal::new(true),
            revealed: RwSignal::new(None),
            chosen: RwSignal::new(None),
            field: NodeRef::new(),
        };
        provide_context(places);
        places
    }

    /// Those of the page, which has provided them.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Shows the pins, and brings this place into view.
    pub fn reveal(self, at: Point) {
        self.shown.set(true);
        self.revealed.set(Some(at));
    }

    /// Begins a message at this place.
    pub fn begin_message(self, at: Point) {
        self.chosen.set(Some(at));
        self.focus_field();
    }

    /// Focuses the text field.
    pub fn focus_field(self) {
        if let Some(field) = self.field.get_untracked() {
            focus(&field);
        }
    }

    /// The pointer or the focus is on this: lights its pin, or none.
    pub fn on_point(self, ev: &Event) {
        let link = place_link(ev).and_then(|link| link.get_attribute("data-pin"));
        let pin = link.and_then(|number| number.parse().ok());
        if self.lit.get_untracked() != pin {
            self.lit.set(pin);
        }
    }
}

/// Leads from a pin to its message: its chip takes the focus, for which the browser scrolls to it.
pub fn follow_pin(pin: &Element) {
    let href = pin.get_attribute("href").unwrap_or_default();
    let chip = document().query_selector(&(href + " .chip"));
    if let Some(chip) = chip.ok().flatten() {
        focus(chip.unchecked_ref());
    }
}

/// Whether a click on a link is not one that opens it in a new tab or window, which is left to the browser.
pub fn is_plain(ev: &MouseEvent) -> bool {
    !(ev.ctrl_key() || ev.meta_key() || ev.shift_key() || ev.alt_key())
}

/// The pin, or the chip in a message, that an event is on.
pub fn place_link(ev: &Event) -> Option<Element> {
    target(ev)?.closest("[data-pin]").ok()?
}
