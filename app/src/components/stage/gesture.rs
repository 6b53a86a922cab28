//! What pointers do on the picture: tap, drag or pinch.

/// Pointers that are followed at once.
const MAX_POINTERS: usize = 2;
/// A press that moves further is a drag, in CSS pixels. Fingers tremble.
const MOUSE_SLOP: f64 = 4.0;
const TOUCH_SLOP: f64 = 10.0;
/// Two taps within this time and distance are a double tap.
const DOUBLE_TAP_MILLIS: f64 = 350.0;
const DOUBLE_TAP_DISTANCE: f64 = 30.0;

/// A place in CSS pixels of the window.
pub type Place = (f64, f64);

/// How the picture follows the pointers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    /// Between the pointers, before and after.
    pub from: Place,
    pub to: Place,
    /// The change of their distance.
    pub factor: f64,
}

/// A click on the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Click {
    Tap,
    DoubleTap,
    /// The end of a drag.
    Drag,
}

/// The pointers that are down, and the last tap.
#[derive(Debug, Default)]
pub struct Gesture {
    pointers: Vec<(i32, Place)>,
    /// Whether a pointer was pressed since the last click: assistive technology and scripts click without.
    is_pressed: bool,
    is_drag: bool,
    last_tap: Option<(f64, Place)>,
    /// Of the last event that is not a drag.
    last_place: Place,
}

impl Gesture {
    /// A pointer is pressed; the primary one begins a new gesture.
    pub fn press(&mut self, id: i32, is_primary: bool, at: Place) {
        self.last_place = at;
        if is_primary {
            self.pointers.clear();
            self.is_pressed = true;
            self.is_drag = false;
        }
        if self.pointers.len() < MAX_POINTERS {
            self.pointers.push((id, at));
        }
        self.is_drag |= self.pointers.len() > 1;
    }

    /// A pointer moves. `None` while it may become a tap, and for pointers that are not followed.
    pub fn drag(&mut self, id: i32, is_touch: bool, to: Place) -> Option<Motion> {
        let (from, before) = self.span();
        let pointer = self.pointers.iter_mut().find(|pointer| pointer.0 == id)?;
        let slop = if is_touch { TOUCH_SLOP } else { MOUSE_SLOP };
        self.is_drag |= distance(pointer.1, to) > slop;
        if !self.is_drag {
            return None;
        }
        pointer.1 = to;
        let (to, after) = self.span();
        let factor = if before > 0.0 { after / before } else { 1.0 };
        Some(Motion { from, to, factor })
    }

    /// A pointer is released, or moves without being pressed.
    pub fn release(&mut self, id: i32, at: Place) {
        self.last_place = at;
        self.pointers.retain(|pointer| pointer.0 != id);
    }

    /// A click at this time in milliseconds.
    pub fn click(&mut self, millis: f64, at: Place) -> Click {
        if !std::mem::take(&mut self.is_pressed) {
            return Click::Tap;
        }
        if self.is_drag {
            return Click::Drag;
        }
        let is_second = self.last_tap.is_some_and(|(before, place)| {
            millis - before < DOUBLE_TAP_MILLIS && distance(place, at) < DOUBLE_TAP_DISTANCE
        });
        if is_second {
            self.last_tap = None;
            return Click::DoubleTap;
        }
        self.last_tap = Some((millis, at));
        Click::Tap
    }

    /// Whether only this pointer is down and has not moved: a long press then, which is no tap.
    pub fn hold(&mut self, id: i32) -> bool {
        let is_only = matches!(self.pointers[..], [(only, _)] if only == id);
        let is_hold = is_only && !self.is_drag;
        self.is_drag |= is_hold;
        is_hold
    }

    /// The last place, if this is that one rounded to a pixel.
    pub fn precise(&self, rounded: Place) -> Place {
        let (x, y) = self.last_place;
        let is_same = (x - rounded.0).abs() < 1.0 && (y - rounded.1).abs() < 1.0;
        if is_same { (x, y) } else { rounded }
    }

    /// The place in the middle of the pointers, and their distance.
    fn span(&self) -> (Place, f64) {
        let first = self.pointers.first().map_or((0.0, 0.0), |it| it.1);
        let last = self.pointers.last().map_or(first, |it| it.1);
        let middle = (
            f64::midpoint(first.0, last.0),
            f64::midpoint(first.1, last.1),
        );
        (middle, distance(first, last))
    }
}

fn distance(a: Place, b: Place) -> f64 {
    let (x, y) = (a.0 - b.0, a.1 - b.1);
    (x * x + y * y).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(at: Place) -> Gesture {
        let mut gesture = Gesture::default();
        gesture.press(1, true, at);
        gesture
    }

    fn motion(from: Place, to: Place, factor: f64) -> Motion {
        Motion { from, to, factor }
    }

    #[test]
    fn a_press_that_trembles_is_a_tap() {
        let mut gesture = pressed((100.0, 100.0));
        assert_eq!(gesture.drag(1, false, (103.0, 101.0)), None);
        gesture.release(1, (0.0, 0.0));
        assert_eq!(gesture.click(0.0, (103.0, 101.0)), Click::Tap);
        let mut gesture = pressed((100.0, 100.0));
        assert_eq!(gesture.drag(1, true, (107.0, 101.0)), None);
    }

    #[test]
    fn a_press_that_moves_is_a_drag_until_the_next_press() {
        let mut gesture = pressed((100.0, 100.0));
        assert_eq!(
            gesture.drag(1, false, (110.0, 100.0)),
            Some(motion((100.0, 100.0), (110.0, 100.0), 1.0))
        );
        // Back where it began.
        gesture.drag(1, false, (100.0, 100.0));
        gesture.release(1, (0.0, 0.0));
        assert_eq!(gesture.click(0.0, (100.0, 100.0)), Click::Drag);
        gesture.press(1, true, (100.0, 100.0));
        assert_eq!(gesture.click(50.0, (100.0, 100.0)), Click::Tap);
    }

    #[test]
    fn two_pointers_pinch_and_move() {
        let mut gesture = pressed((100.0, 100.0));
        gesture.press(2, false, (200.0, 100.0));
        assert_eq!(
            gesture.drag(2, true, (300.0, 100.0)),
            Some(motion((150.0, 100.0), (200.0, 100.0), 2.0))
        );
        gesture.release(1, (0.0, 0.0));
        assert_eq!(
            gesture.drag(2, true, (300.0, 90.0)),
            Some(motion((300.0, 100.0), (300.0, 90.0), 1.0))
        );
        gesture.release(2, (0.0, 0.0));
        assert_eq!(gesture.click(0.0, (300.0, 90.0)), Click::Drag);
    }

    #[test]
    fn a_press_without_motion_can_be_a_long_one_which_is_no_tap() {
        let mut gesture = pressed((100.0, 100.0));
        assert!(gesture.hold(1));
        gesture.release(1, (100.0, 100.0));
        assert_eq!(gesture.click(600.0, (100.0, 100.0)), Click::Drag);
        assert!(!gesture.hold(1), "it is released");
        let mut gesture = pressed((100.0, 100.0));
        gesture.drag(1, true, (120.0, 100.0));
        assert!(!gesture.hold(1), "it has moved");
        let mut gesture = pressed((100.0, 100.0));
        gesture.press(2, false, (200.0, 100.0));
        assert!(!gesture.hold(1), "it is a pinch");
    }

    #[test]
    fn a_third_pointer_is_ignored() {
        let mut gesture = pressed((100.0, 100.0));
        gesture.press(2, false, (200.0, 100.0));
        gesture.press(3, false, (300.0, 100.0));
        assert_eq!(gesture.drag(3, true, (400.0, 100.0)), None);
    }

    #[test]
    fn every_second_quick_tap_at_a_place_is_a_double_tap() {
        let mut gesture = Gesture::default();
        let mut tap = |millis: f64, x: f64| {
            gesture.press(1, true, (x, 0.0));
            gesture.release(1, (0.0, 0.0));
            gesture.click(millis, (x, 0.0))
        };
        assert_eq!(tap(0.0, 0.0), Click::Tap);
        assert_eq!(tap(200.0, 5.0), Click::DoubleTap);
        assert_eq!(tap(400.0, 0.0), Click::Tap);
        assert_eq!(tap(600.0, 0.0), Click::DoubleTap);
        assert_eq!(tap(800.0, 0.0), Click::Tap);
        assert_eq!(tap(1_000.0, 90.0), Click::Tap);
        assert_eq!(tap(1_400.0, 90.0), Click::Tap);
    }

    #[test]
    fn a_rounded_place_is_that_of_the_last_pointer_event() {
        let mut gesture = pressed((100.75, 50.25));
        assert_eq!(gesture.precise((100.0, 50.0)), (100.75, 50.25));
        gesture.release(1, (102.5, 50.0));
        assert_eq!(gesture.precise((102.0, 50.0)), (102.5, 50.0));
        assert_eq!(gesture.precise((104.0, 50.0)), (104.0, 50.0));
    }

    #[test]
    fn clicks_without_a_press_are_taps() {
        let mut gesture = Gesture::default();
        assert_eq!(gesture.click(0.0, (0.0, 0.0)), Click::Tap);
        assert_eq!(gesture.click(10.0, (0.0, 0.0)), Click::Tap);
    }
}
