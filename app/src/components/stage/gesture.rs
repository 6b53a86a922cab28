//! What pointers do on the picture: tap, hold, draw, drag or pinch.

/// Pointers that are followed at once.
const MAX_POINTERS: usize = 2;
/// A press that moves further is a drag, in CSS pixels. Fingers tremble.
const MOUSE_SLOP: f64 = 4.0;
const TOUCH_SLOP: f64 = 10.0;
/// Two taps within this time and distance are a double tap.
const DOUBLE_TAP_MILLIS: f64 = 350.0;
const DOUBLE_TAP_DISTANCE: f64 = 30.0;
/// A click belongs to a press that ended within this time. Assistive technology and scripts click without a press.
const CLICK_MILLIS: f64 = 700.0;

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

/// What a pointer that moves does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Move {
    /// Moves and zooms the picture.
    Pan(Motion),
    /// Draws a line to this place.
    Draw(Place),
}

/// A pointer that is pressed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Press {
    pub id: i32,
    pub is_primary: bool,
    pub is_touch: bool,
    pub at: Place,
}

/// What a press that is held before it moves leads to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// It is not held: moving pans.
    #[default]
    No,
    /// It is: moving draws.
    Held,
    Drawing,
    /// It was a finger's, and is released.
    Long,
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
    /// How many presses there were.
    presses: u32,
    /// When the last press ended, if it can still lead to a click.
    ended: Option<f64>,
    is_drag: bool,
    is_touch: bool,
    hold: Hold,
    /// Whether a key that opens menus was pressed after the last pointer event.
    is_menu_key: bool,
    last_tap: Option<(f64, Place)>,
    /// Of the last event that is not a drag.
    last_place: Place,
}

impl Gesture {
    /// A pointer is pressed; the primary one begins a new gesture. Returns the number of the press.
    pub fn press(&mut self, press: Press) -> u32 {
        self.last_place = press.at;
        self.presses = self.presses.wrapping_add(1);
        self.ended = None;
        self.hold = Hold::No;
        if press.is_primary {
            self.pointers.clear();
            self.is_drag = false;
            self.is_touch = press.is_touch;
        }
        if self.pointers.len() < MAX_POINTERS {
            self.pointers.push((press.id, press.at));
        }
        self.is_drag |= self.pointers.len() > 1;
        self.presses
    }

    /// The press of this number is held: if it has not moved, it draws from now on. Returns its place then.
    pub fn hold(&mut self, press: u32) -> Option<Place> {
        match self.pointers[..] {
            [(_, at)] if press == self.presses && !self.is_drag => {
                self.hold = Hold::Held;
                Some(at)
            }
            _ => None,
        }
    }

    /// A pointer moves. `None` while it may become a tap, and for pointers that are not followed.
    pub fn drag(&mut self, id: i32, to: Place) -> Option<Move> {
        let (from, before) = self.span();
        let pointer = self.pointers.iter_mut().find(|pointer| pointer.0 == id)?;
        let slop = if self.is_touch {
            TOUCH_SLOP
        } else {
            MOUSE_SLOP
        };
        self.is_drag |= distance(pointer.1, to) > slop;
        if !self.is_drag {
            return None;
        }
        let start = std::mem::replace(&mut pointer.1, to);
        match self.hold {
            Hold::No | Hold::Long => {}
            Hold::Held => {
                self.hold = Hold::Drawing;
                return Some(Move::Draw(start));
            }
            Hold::Drawing => return Some(Move::Draw(to)),
        }
        let (to, after) = self.span();
        let factor = if before > 0.0 { after / before } else { 1.0 };
        Some(Move::Pan(Motion { from, to, factor }))
    }

    /// A pointer is released at this time in milliseconds, or moves without being pressed. Returns the place of a
    /// finger's long press, which is no tap.
    pub fn release(&mut self, millis: f64, id: i32, at: Place) -> Option<Place> {
        self.last_place = at;
        let index = self.pointers.iter().position(|pointer| pointer.0 == id)?;
        let (_, at) = self.pointers.remove(index);
        self.ended = Some(millis);
        let is_long = self.hold == Hold::Held && self.is_touch;
        self.hold = if is_long { Hold::Long } else { Hold::No };
        self.is_drag |= is_long;
        is_long.then_some(at)
    }

    /// Whether the last press was a finger's long one.
    pub fn is_long_press(&self) -> bool {
        self.hold == Hold::Long
    }

    /// A pointer is taken over by something else, or its capture ends.
    pub fn forget(&mut self, id: i32) {
        let count = self.pointers.len();
        self.pointers.retain(|pointer| pointer.0 != id);
        // One that was released may have been a long press.
        if self.pointers.len() < count {
            self.hold = Hold::No;
        }
    }

    /// Whether a finger is down.
    pub fn is_touched(&self) -> bool {
        self.is_touch && !self.pointers.is_empty()
    }

    /// A click at this time in milliseconds.
    pub fn click(&mut self, millis: f64, at: Place) -> Click {
        let ended = self.ended.take();
        if ended.is_none_or(|ended| millis - ended > CLICK_MILLIS) {
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

    /// A key that opens menus was pressed, or a pointer after it.
    pub fn set_menu_key(&mut self, is_pressed: bool) {
        self.is_menu_key = is_pressed;
    }

    /// Whether a menu was opened by a key. Its event has a place of the browser's choice.
    pub fn take_menu_key(&mut self) -> bool {
        std::mem::take(&mut self.is_menu_key)
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
mod tests;
