use web_sys::Element;

use super::viewport::Area;
use crate::model::Point;

/// The direction of an arrow key, across and down. `None` for other keys.
pub fn arrow(key: &str) -> Option<(f64, f64)> {
    match key {
        "ArrowLeft" => Some((-1.0, 0.0)),
        "ArrowRight" => Some((1.0, 0.0)),
        "ArrowUp" => Some((0.0, -1.0)),
        "ArrowDown" => Some((0.0, 1.0)),
        _ => None,
    }
}

/// Moves `from` in an arrow key's direction by 5 % of what is visible of the image's width and height, with Shift by
/// 1 %. `None` for other keys.
pub fn step(from: Point, key: &str, fine: bool, visible: (f64, f64)) -> Option<Point> {
    let (x, y) = arrow(key)?;
    let length = if fine { 0.01 } else { 0.05 };
    // Rounded, so that steps back and forth end where they started.
    let moved = |from: f64, by: f64| ((from + by * length) * 100_000.0).round() / 100_000.0;
    let inside = |value: f64| value.clamp(0.0, 1.0);
    let (x, y) = (
        moved(from.x(), x * visible.0),
        moved(from.y(), y * visible.1),
    );
    Point::new(inside(x), inside(y)).ok()
}

/// The number with five decimals, for CSS: `-12.50000`.
///
/// Formatted from an integer, since the formatting of floats would add 5 kB to the WASM.
pub fn decimal(number: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "places and scales are far below its limits"
    )]
    let units = (number * 100_000.0).round() as i64;
    let sign = if units < 0 { "-" } else { "" };
    let units = units.unsigned_abs();
    format!("{sign}{}.{:05}", units / 100_000, units % 100_000)
}

/// The element's box.
pub fn area(element: &Element) -> Area {
    let area = element.get_bounding_client_rect();
    Area {
        left: area.left(),
        top: area.top(),
        width: area.width(),
        height: area.height(),
    }
}

/// The middle of the image, where the keyboard's crosshair starts.
pub fn middle() -> Point {
    Point::new(0.5, 0.5).expect("halves are fractions")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: (f64, f64) = (1.0, 1.0);

    fn point(x: f64, y: f64) -> Point {
        Point::new(x, y).unwrap()
    }

    #[test]
    fn a_number_has_five_decimals_in_css() {
        assert_eq!(decimal(0.0), "0.00000");
        assert_eq!(decimal(12.5), "12.50000");
        assert_eq!(decimal(-0.050_004_1), "-0.05000");
        assert_eq!(decimal(-0.000_001), "0.00000");
        assert_eq!(decimal(0.999_999_9), "1.00000");
    }

    #[test]
    fn arrows_move_by_a_twentieth_and_with_shift_by_a_hundredth_of_what_is_visible() {
        let centre = point(0.5, 0.5);
        let moved = |key, fine, visible| step(centre, key, fine, visible);
        assert_eq!(moved("ArrowLeft", false, WHOLE), Some(point(0.45, 0.5)));
        assert_eq!(moved("ArrowDown", true, WHOLE), Some(point(0.5, 0.51)));
        assert_eq!(
            moved("ArrowDown", true, (0.5, 0.1)),
            Some(point(0.5, 0.501))
        );
        assert_eq!(moved("a", false, WHOLE), None);
    }

    #[test]
    fn arrows_stop_at_the_edge() {
        let corner = point(0.98, 0.02);
        assert_eq!(
            step(corner, "ArrowRight", false, WHOLE),
            Some(point(1.0, 0.02))
        );
        assert_eq!(
            step(corner, "ArrowUp", false, WHOLE),
            Some(point(0.98, 0.0))
        );
    }
}
