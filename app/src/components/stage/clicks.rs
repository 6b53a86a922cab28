use leptos::prelude::*;
use web_sys::{Event, MouseEvent};

use super::spread::Spread;
use super::zoom::Zoom;
use crate::components::places::{follow_pin, is_plain, place_link};
use crate::model::Point;

/// What clicks on the stage do, and its context menu: they touch the image, follow pins and begin messages.
#[derive(Clone, Copy)]
pub struct Clicks {
    pub zoom: Zoom,
    pub spread: Spread,
    /// Whether the image can be shown.
    pub intact: RwSignal<bool>,
    /// Touches a place.
    pub tap: Callback<Point>,
    /// Begins a message at a place.
    pub begin: Callback<Point>,
}

impl Clicks {
    /// The stage is clicked.
    pub fn click(&self, ev: &MouseEvent) {
        if let Some(pin) = place_link(ev) {
            if self.zoom.on_link_click(ev) {
                ev.prevent_default();
            } else if is_plain(ev) {
                ev.prevent_default();
                // A finger spreads pins that cover each other by its first tap.
                if !self.spread.open(&pin) {
                    follow_pin(&pin);
                }
            }
            return;
        }
        let at = self.zoom.on_click(ev);
        if let Some(at) = at.filter(|_| self.intact.get_untracked()) {
            self.tap.run(at);
        }
    }

    /// The context menu is asked for.
    pub fn context_menu(&self, ev: &MouseEvent) {
        if self.may_begin(ev)
            && let Some(at) = self.zoom.menu_point(ev)
        {
            ev.prevent_default();
            // A finger begins a message when it is released, unless it draws.
            if !self.zoom.is_touched() {
                self.begin.run(at);
            }
        }
    }

    /// Whether the event is where a message may begin. Pins keep a link's menu.
    pub fn may_begin(&self, ev: &Event) -> bool {
        self.intact.get_untracked() && place_link(ev).is_none()
    }
}
