use crate::model::Point;

/// The position of a pointer at (`x`, `y`) on an image whose box begins at (`left`, `top`), all in CSS pixels of the
/// window. `None` if the image has no area; the edges count as inside.
pub fn place(x: f64, y: f64, left: f64, top: f64, width: f64, height: f64) -> Option<Point> {
    if width <= 0.0 || height <= 0.0 {
        return None;
    }
    let fraction = |offset: f64, length: f64| (offset / length).clamp(0.0, 1.0);
    Point::new(fraction(x - left, width), fraction(y - top, height)).ok()
}

/// Moves `from` in an arrow key's direction by 5 % of the image, with Shift by 1 %. `None` for other keys.
pub fn step(from: Point, key: &str, fine: bool) -> Option<Point> {
    let (x, y) = match key {
        "ArrowLeft" => (-1.0, 0.0),
        "ArrowRight" => (1.0, 0.0),
        "ArrowUp" => (0.0, -1.0),
        "ArrowDown" => (0.0, 1.0),
        _ => return None,
    };
    let length = if fine { 0.01 } else { 0.05 };
    // Rounded to a thousandth, so that steps back and forth end where they started.
    let moved = |from: f64, by: f64| ((from + by * length) * 1_000.0).round() / 1_000.0;
    let inside = |value: f64| value.clamp(0.0, 1.0);
    Point::new(inside(moved(from.x(), x)), inside(moved(from.y(), y))).ok()
}

/// The fraction as a CSS percentage with three decimals: `12.500%`.
///
/// Formatted from an integer, since the formatting of floats would add 5 kB to the WASM.
pub fn percentage(fraction: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a fraction is between 0 and 1"
    )]
    let thousandths = (fraction * 100_000.0).round() as u32;
    format!("{}.{:03}%", thousandths / 1_000, thousandths % 1_000)
}

/// The middle of the image, where the keyboard's crosshair starts.
pub fn middle() -> Point {
    Point::new(0.5, 0.5).expect("halves are fractions")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(x: f64, y: f64) -> Point {
        Point::new(x, y).unwrap()
    }

    #[test]
    fn a_pointer_is_placed_as_a_fraction_of_the_image() {
        assert_eq!(
            place(124.0, 250.0, 24.0, 50.0, 400.0, 800.0),
            Some(point(0.25, 0.25))
        );
    }

    #[test]
    fn a_pointer_on_the_edge_is_inside() {
        assert_eq!(
            place(23.6, 850.4, 24.0, 50.0, 400.0, 800.0),
            Some(point(0.0, 1.0))
        );
    }

    #[test]
    fn an_image_without_area_has_no_places() {
        assert_eq!(place(1.0, 1.0, 0.0, 0.0, 0.0, 10.0), None);
    }

    #[test]
    fn a_fraction_is_a_percentage_in_css() {
        assert_eq!(percentage(0.0), "0.000%");
        assert_eq!(percentage(0.125), "12.500%");
        assert_eq!(percentage(0.050_004), "5.000%");
        assert_eq!(percentage(0.999_999), "100.000%");
    }

    #[test]
    fn arrows_move_by_a_twentieth_and_with_shift_by_a_hundredth() {
        let centre = point(0.5, 0.5);
        assert_eq!(step(centre, "ArrowLeft", false), Some(point(0.45, 0.5)));
        assert_eq!(step(centre, "ArrowDown", true), Some(point(0.5, 0.51)));
        assert_eq!(step(centre, "a", false), None);
    }

    #[test]
    fn arrows_stop_at_the_edge() {
        assert_eq!(
            step(point(0.98, 0.02), "ArrowRight", false),
            Some(point(1.0, 0.02))
        );
        assert_eq!(
            step(point(0.98, 0.02), "ArrowUp", false),
            Some(point(0.98, 0.0))
        );
    }
}
