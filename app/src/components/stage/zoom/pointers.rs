//! Pressing, moving and releasing pointers.

use std::time::Duration;

use leptos::prelude::*;
use web_sys::{MouseEvent, PointerEvent};

use super::super::gesture::{Motion, Move, Press};
use super::{Zoom, place_of};
use crate::browser::target;
use crate::model::Point;

/// A press that stays still for so long draws when it moves then; that of a finger begins a message otherwise.
const HOLD: Duration = Duration::from_millis(300);

impl Zoom {
    /// Handles `pointerdown`; `may_draw` if the pointer is where one can draw.
    pub fn on_press(self, ev: &PointerEvent, may_draw: bool) {
        self.with_gesture(|gesture| gesture.set_menu_key(false));
        if ev.button() != 0 {
            return;
        }
        let press = Press {
            id: ev.pointer_id(),
            is_primary: ev.is_primary(),
            is_touch: ev.pointer_type() == "touch",
            at: place_of(ev),
        };
        let Some(number) = self.with_gesture(|gesture| gesture.press(press)) else {
            return;
        };
        let held = move || {
            if let Some(at) = self.with_gesture(|gesture| gesture.hold(number)).flatten() {
                self.pen.set(self.point_at(at));
            }
        };
        if may_draw {
            set_timeout(held, HOLD);
        }
    }

    /// Handles `pointermove` of a pressed pointer; returns the point that a line is drawn to.
    pub fn on_move(self, ev: &PointerEvent) -> Option<Point> {
        let id = ev.pointer_id();
        let step = self.with_gesture(|gesture| gesture.drag(id, place_of(ev)))??;
        if let Some(element) = target(ev) {
            // Fails only if the pointer was just released.
            _ = element.set_pointer_capture(id);
        }
        match step {
            Move::Pan(Motion { from, to, factor }) => {
                self.drag(from, to, factor);
                None
            }
            Move::Draw(to) => {
                let at = self.point_at(to);
                self.pen.set(at);
                at
            }
        }
    }

    /// Handles the release of a pointer; returns the point of a long press.
    pub fn on_release(self, ev: &PointerEvent) -> Option<Point> {
        let (id, at) = (ev.pointer_id(), place_of(ev));
        let held = self.with_gesture(|gesture| gesture.release(ev.time_stamp(), id, at));
        self.point_at(held??)
    }

    /// Handles `pointercancel`, and `lostpointercapture`, which follows a release too.
    pub fn on_cancel(self, ev: &PointerEvent) {
        self.with_gesture(|gesture| gesture.forget(ev.pointer_id()));
    }

    /// Lifts the pen; false if it was not down.
    pub fn lift_pen(self) -> bool {
        let was_down = self.pen.read_untracked().is_some();
        if was_down {
            self.pen.set(None);
        }
        was_down
    }

    /// Keeps the focus where a long press has moved it: browsers report a finger as a mouse, too, once it is released.
    pub fn on_mouse_down(self, ev: &MouseEvent) {
        if self.with_gesture(|gesture| gesture.is_long_press()) == Some(true) {
            ev.prevent_default();
        }
    }

    /// Whether a finger is down.
    pub fn is_touched(self) -> bool {
        self.with_gesture(|gesture| gesture.is_touched()) == Some(true)
    }
}
