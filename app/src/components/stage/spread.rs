//! Pins that cover each other are spread while one of them is pointed at or focused.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, PointerEvent};

use super::gesture::Place;
use super::place::{area, decimal};
use super::viewport::Area;

/// Pins whose middles are closer than this, in both directions, cover each other. In CSS pixels, like all lengths here.
const NEAR: f64 = 22.0;
/// From one spread pin's middle to the next one's.
const STEP: f64 = 40.0;
/// How many are in a row.
const COLUMNS: usize = 5;

/// The spread pins. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    /// Where they are, with the room around them in which the pointer keeps them spread.
    area: StoredValue<Option<Area>>,
}

impl Spread {
    /// No pins are spread.
    pub fn new() -> Self {
        Self {
            area: StoredValue::new(None),
        }
    }

    /// Spreads the pins that this one covers or is covered by, unless they are spread already. False if there are none.
    pub fn open(self, pin: &Element) -> bool {
        if pin.class_list().contains("spread") {
            return false;
        }
        self.close();
        let at = middle(pin);
        let mut pins = elements(".pin");
        pins.retain(|pin| {
            let (x, y) = middle(pin);
            (x - at.0).abs() < NEAR && (y - at.1).abs() < NEAR
        });
        let stage = pin.closest(".stage").ok().flatten();
        let Some(stage) = stage.filter(|_| pins.len() > 1) else {
            return false;
        };
        let (places, area) = arrange(at, pins.len(), area(&stage));
        for (pin, to) in pins.iter().zip(places) {
            let from = middle(pin);
            let (x, y) = (decimal(to.0 - from.0), decimal(to.1 - from.1));
            // Fail only for a read-only style, and for names with spaces.
            _ = HtmlElement::style(pin)
                .set_property("transform", &["translate(", &x, "px,", &y, "px)"].concat());
            _ = pin.class_list().add_1("spread");
        }
        self.area.set_value(Some(area));
        true
    }

    /// Moves the pins back once the pointer is elsewhere.
    pub fn on_pointer(self, ev: &PointerEvent) {
        let (x, y) = (f64::from(ev.client_x()), f64::from(ev.client_y()));
        let area = self.area.get_value();
        if area.is_some_and(|area| !area.contains((x, y))) {
            self.close();
        }
    }

    /// Moves the pins back.
    pub fn close(self) {
        if self.area.get_value().is_some() {
            self.area.set_value(None);
            for pin in elements(".pin.spread") {
                // As above.
                _ = HtmlElement::style(&pin).remove_property("transform");
                _ = pin.class_list().remove_1("spread");
            }
        }
    }
}

/// Where the middles of so many pins go: in rows around this place, but within the stage. And the box around them.
fn arrange(around: Place, count: usize, stage: Area) -> (Vec<Place>, Area) {
    #[expect(clippy::cast_precision_loss, reason = "there are few pins")]
    let pixels = |steps: usize| steps as f64 * STEP;
    let columns = count.min(COLUMNS);
    let (width, height) = (pixels(columns), pixels(count.div_ceil(COLUMNS)));
    // Not `clamp`, which panics where there is too little room.
    let left = (around.0 - width / 2.0)
        .min(stage.right() - width)
        .max(stage.left);
    let top = (around.1 - height / 2.0)
        .min(stage.bottom() - height)
        .max(stage.top);
    let place = |index: usize| {
        let (row, column) = (index / columns, index % columns);
        let (x, y) = (left + pixels(column), top + pixels(row));
        (x + STEP / 2.0, y + STEP / 2.0)
    };
    let area = Area {
        left: left - STEP,
        top: top - STEP,
        width: width + 2.0 * STEP,
        height: height + 2.0 * STEP,
    };
    ((0..count).map(place).collect(), area)
}

fn elements(selector: &str) -> Vec<HtmlElement> {
    let Ok(list) = document().query_selector_all(selector) else {
        return Vec::new();
    };
    let elements = (0..list.length()).filter_map(|index| list.get(index)?.dyn_into().ok());
    elements.collect()
}

fn middle(element: &Element) -> Place {
    area(element).middle()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGE: Area = Area {
        left: 0.0,
        top: 0.0,
        width: 400.0,
        height: 300.0,
    };

    #[test]
    fn two_pins_stand_side_by_side_around_their_place() {
        let (places, area) = arrange((200.0, 100.0), 2, STAGE);
        assert_eq!(places, [(180.0, 100.0), (220.0, 100.0)]);
        assert_eq!((area.left, area.top), (120.0, 40.0));
        assert_eq!((area.right(), area.bottom()), (280.0, 160.0));
    }

    #[test]
    fn many_pins_stand_in_rows_in_their_order() {
        let (places, _) = arrange((200.0, 100.0), 7, STAGE);
        assert_eq!(places[0], (120.0, 80.0));
        assert_eq!(places[4], (280.0, 80.0));
        assert_eq!(places[5], (120.0, 120.0));
    }

    #[test]
    fn at_an_edge_the_pins_stay_on_the_stage() {
        let (places, _) = arrange((398.0, 2.0), 3, STAGE);
        assert_eq!(places, [(300.0, 20.0), (340.0, 20.0), (380.0, 20.0)]);
    }
}
