use leptos::prelude::*;
use web_sys::PointerEvent;

use super::spread::Spread;
use super::zoom::Zoom;
use crate::live::Live;
use crate::model::Point;

/// What pointers on the stage do, beside clicks: they move the picture, draw lines and begin messages by a long press.
#[derive(Clone, Copy)]
pub struct Pointers {
    pub zoom: Zoom,
    pub live: Live,
    pub spread: Spread,
    /// Begins a message at a place.
    pub begin: Callback<Point>,
}

impl Pointers {
    /// A pointer is pressed; `may_draw` if it is where one can draw.
    pub fn press(&self, ev: &PointerEvent, may_draw: bool) {
        self.end_line();
        self.zoom.on_press(ev, may_draw);
        self.spread.on_pointer(ev);
    }

    /// A pointer moves.
    pub fn motion(&self, ev: &PointerEvent) {
        self.spread.on_pointer(ev);
        // Not pressed, or released outside of the picture before it was captured.
        if ev.buttons() == 0 {
            self.end_line();
            self.zoom.on_release(ev);
        } else if let Some(at) = self.zoom.on_move(ev) {
            self.live.draw_line(at);
        }
    }

    /// A pointer is released.
    pub fn release(&self, ev: &PointerEvent) {
        self.end_line();
        if let Some(at) = self.zoom.on_release(ev) {
            self.begin.run(at);
        }
    }

    /// A pointer is taken over by something else.
    pub fn cancel(&self, ev: &PointerEvent) {
        self.end_line();
        self.zoom.on_cancel(ev);
    }

    fn end_line(&self) {
        if self.zoom.lift_pen() {
            self.live.end_line();
        }
    }
}
