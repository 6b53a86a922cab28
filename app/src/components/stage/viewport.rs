//! Which part of the picture the stage shows. Lengths are in units of the fitted picture's width (across) and height
//! (down), so that they stay right when the window is resized.

use crate::model::Point;

/// The zoom of a double tap.
const DOUBLE_TAP_SCALE: f64 = 2.5;
/// The most that a pixel of the picture is enlarged to, in device pixels.
const MAX_DEVICE_PIXELS: f64 = 8.0;
/// Lengths that differ by less are equal: browsers round boxes to fractions of a pixel.
const TOLERANCE: f64 = 0.002;

/// A box in CSS pixels of the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

/// One direction, across or down: where the stage begins and ends. The fitted picture is at 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Axis {
    start: f64,
    end: f64,
}

impl Axis {
    fn length(self) -> f64 {
        self.end - self.start
    }

    fn middle(self) -> f64 {
        (self.start + self.end) / 2.0
    }

    fn is_exceeded_by(self, length: f64) -> bool {
        length > self.length() + TOLERANCE
    }

    /// Where a picture of this length begins: in the middle if all of it fits, otherwise without a gap at either end.
    fn bounded(self, offset: f64, length: f64) -> f64 {
        if self.is_exceeded_by(length) {
            // Not `clamp`, which has a panic in it.
            offset.max(self.end - length).min(self.start)
        } else {
            self.middle() - length / 2.0
        }
    }
}

/// The stage as seen from the fitted picture, and the limits of zooming.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    across: Axis,
    down: Axis,
    min_scale: f64,
    max_scale: f64,
    /// Device pixels for each pixel of the fitted picture.
    density: f64,
    fitted: Area,
}

impl Frame {
    /// From the boxes of the stage and of the fitted picture, the picture's width in its own pixels, and the number of
    /// device pixels in a CSS pixel. `None` if the picture has no area.
    pub fn new(stage: Area, fitted: Area, pixels: f64, device_pixels: f64) -> Option<Self> {
        if fitted.width <= 0.0 || fitted.height <= 0.0 {
            return None;
        }
        let axis = |stage: f64, stage_length: f64, fitted: f64, fitted_length: f64| Axis {
            start: (stage - fitted) / fitted_length,
            end: (stage + stage_length - fitted) / fitted_length,
        };
        let across = axis(stage.left, stage.width, fitted.left, fitted.width);
        let down = axis(stage.top, stage.height, fitted.top, fitted.height);
        let density = fitted.width * device_pixels / pixels;
        // A tall picture is fitted by width, and can be made smaller until all of it fits.
        let whole = across.length().min(down.length());
        Some(Self {
            across,
            down,
            min_scale: if whole < 0.9 { whole } else { 1.0 },
            max_scale: (MAX_DEVICE_PIXELS / density).max(1.0),
            density,
            fitted,
        })
    }

    /// The middle of the stage.
    pub fn middle(&self) -> (f64, f64) {
        (self.across.middle(), self.down.middle())
    }

    /// The place at these CSS pixels of the window.
    pub fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let Area {
            left,
            top,
            width,
            height,
        } = self.fitted;
        ((x - left) / width, (y - top) / height)
    }
}

/// How far the picture is zoomed, and where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Viewport {
    /// 1 is the fitted picture. It is the 100 % of the zoom bar: as people see no pixels but a picture that fills the
    /// stage, it is where they begin and come back to.
    pub scale: f64,
    /// The picture's left edge.
    pub x: f64,
    /// The picture's upper edge.
    pub y: f64,
}

impl Viewport {
    /// The fitted picture.
    pub const FITTED: Self = Self {
        scale: 1.0,
        x: 0.0,
        y: 0.0,
    };

    /// Zooms within the limits; what is at this place of the stage stays there, as far as the bounds allow.
    pub fn zoomed(self, scale: f64, (x, y): (f64, f64), frame: &Frame) -> Self {
        let scale = scale.max(frame.min_scale).min(frame.max_scale);
        let ratio = scale / self.scale;
        Self {
            scale,
            x: x - (x - self.x) * ratio,
            y: y - (y - self.y) * ratio,
        }
        .bounded(frame)
    }

    /// Back from any zoom to the fitted size, from the fitted size to [`DOUBLE_TAP_SCALE`].
    pub fn toggled(self, at: (f64, f64), frame: &Frame) -> Self {
        let is_fitted = (self.scale - 1.0).abs() < TOLERANCE;
        self.zoomed(if is_fitted { DOUBLE_TAP_SCALE } else { 1.0 }, at, frame)
    }

    /// Zooms by the factor, and moves what is at one place of the stage to another, as far as the bounds allow.
    pub fn dragged(self, from: (f64, f64), to: (f64, f64), factor: f64, frame: &Frame) -> Self {
        Self {
            x: self.x + to.0 - from.0,
            y: self.y + to.1 - from.1,
            ..self
        }
        .zoomed(self.scale * factor, to, frame)
    }

    /// Moves the picture by parts of the stage's width and height.
    pub fn moved(self, across: f64, down: f64, frame: &Frame) -> Self {
        Self {
            x: self.x + across * frame.across.length(),
            y: self.y + down * frame.down.length(),
            ..self
        }
        .bounded(frame)
    }

    /// Brings this point of the picture to the middle of the stage, as far as the bounds allow.
    pub fn centred_on(self, point: Point, frame: &Frame) -> Self {
        let (x, y) = frame.middle();
        Self {
            x: x - point.x() * self.scale,
            y: y - point.y() * self.scale,
            ..self
        }
        .bounded(frame)
    }

    /// Keeps the picture on the stage.
    pub fn bounded(self, frame: &Frame) -> Self {
        Self {
            x: frame.across.bounded(self.x, self.scale),
            y: frame.down.bounded(self.y, self.scale),
            ..self
        }
    }

    /// The point of the picture at this place of the stage, or the nearest one.
    pub fn point_at(self, (x, y): (f64, f64)) -> Option<Point> {
        let fraction = |offset: f64| (offset / self.scale).clamp(0.0, 1.0);
        Point::new(fraction(x - self.x), fraction(y - self.y)).ok()
    }

    /// The place of the stage where this point of the picture is.
    pub fn place_of(self, point: Point) -> (f64, f64) {
        (
            self.x + point.x() * self.scale,
            self.y + point.y() * self.scale,
        )
    }

    /// Whether the picture is larger than the stage.
    pub fn is_larger(self, frame: &Frame) -> bool {
        frame.across.is_exceeded_by(self.scale) || frame.down.is_exceeded_by(self.scale)
    }

    /// The parts of the picture's width and height that the stage shows.
    pub fn visible(self, frame: &Frame) -> (f64, f64) {
        let part = |axis: Axis| (axis.length() / self.scale).min(1.0);
        (part(frame.across), part(frame.down))
    }

    /// Device pixels for each pixel of the picture.
    pub fn density(self, frame: &Frame) -> f64 {
        self.scale * frame.density
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGES: [(f64, f64); 3] = [(852.0, 640.0), (390.0, 388.0), (240.0, 88.0)];
    const SHAPES: [(f64, f64); 4] = [
        (300.0, 9_000.0),
        (9_000.0, 300.0),
        (64.0, 64.0),
        (5_000.0, 4_000.0),
    ];

    /// A picture's frame in a stage at (24, 80), fitted as the style sheet does it.
    fn frame((width, height): (f64, f64), (stage_width, stage_height): (f64, f64)) -> Fixture {
        let stage = Area {
            left: 24.0,
            top: 80.0,
            width: stage_width,
            height: stage_height,
        };
        let by_width = stage_width / width;
        let is_tall = height > 3.0 * width;
        let factor = if is_tall {
            by_width
        } else {
            by_width.min(stage_height / height)
        };
        let (fitted_width, fitted_height) = (width * factor, height * factor);
        let fitted = Area {
            left: stage.left + (stage_width - fitted_width) / 2.0,
            top: stage.top + ((stage_height - fitted_height) / 2.0).max(0.0),
            width: fitted_width,
            height: fitted_height,
        };
        Fixture {
            stage,
            fitted,
            frame: Frame::new(stage, fitted, width, 1.0).unwrap(),
        }
    }

    struct Fixture {
        stage: Area,
        fitted: Area,
        frame: Frame,
    }

    impl Fixture {
        /// The place of the stage at these parts of its width and height.
        fn place(&self, across: f64, down: f64) -> (f64, f64) {
            let Area {
                left,
                top,
                width,
                height,
            } = self.stage;
            let place = (left + across * width, top + down * height);
            self.frame.place(place)
        }

        /// The picture's box in CSS pixels.
        fn shown(&self, viewport: Viewport) -> Area {
            Area {
                left: self.fitted.left + viewport.x * self.fitted.width,
                top: self.fitted.top + viewport.y * self.fitted.height,
                width: self.fitted.width * viewport.scale,
                height: self.fitted.height * viewport.scale,
            }
        }

        /// In each direction the picture is inside the stage, or covers it.
        fn assert_bounded(&self, viewport: Viewport) {
            let (shown, stage) = (self.shown(viewport), self.stage);
            let fits = |start: f64, length: f64, from: f64, room: f64| {
                let is_inside = start >= from - 0.5 && start + length <= from + room + 0.5;
                let is_covering = start <= from + 0.5 && start + length >= from + room - 0.5;
                is_inside || is_covering
            };
            assert!(
                fits(shown.left, shown.width, stage.left, stage.width),
                "{shown:?}"
            );
            assert!(
                fits(shown.top, shown.height, stage.top, stage.height),
                "{shown:?}"
            );
        }
    }

    fn all() -> impl Iterator<Item = Fixture> {
        STAGES
            .into_iter()
            .flat_map(|stage| SHAPES.map(|shape| frame(shape, stage)))
    }

    /// Pseudo-random numbers from 0 to 1, the same in each run.
    fn numbers() -> impl FnMut() -> f64 {
        let mut state = 1_u32;
        move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state) / f64::from(u32::MAX)
        }
    }

    #[test]
    fn the_fitted_picture_is_within_the_bounds_as_the_style_sheet_places_it() {
        for fixture in all() {
            let bounded = Viewport::FITTED.bounded(&fixture.frame);
            assert!(bounded.x.abs() < 1e-9 && bounded.y.abs() < 1e-9);
            fixture.assert_bounded(bounded);
        }
    }

    #[test]
    fn any_zooming_and_moving_keeps_the_picture_on_the_stage() {
        let mut number = numbers();
        for fixture in all() {
            let mut viewport = Viewport::FITTED;
            for _ in 0..500 {
                let at = fixture.place(number(), number());
                viewport = match (number() * 4.0) as u32 {
                    0 => {
                        viewport.zoomed(viewport.scale * (0.3 + 2.0 * number()), at, &fixture.frame)
                    }
                    1 => viewport.moved(number() - 0.5, number() - 0.5, &fixture.frame),
                    2 => viewport.toggled(at, &fixture.frame),
                    _ => {
                        viewport.centred_on(Point::new(number(), number()).unwrap(), &fixture.frame)
                    }
                };
                fixture.assert_bounded(viewport);
                assert!(viewport.density(&fixture.frame) <= 8.0 + 1e-9 || viewport.scale <= 1.0);
            }
        }
    }

    #[test]
    fn what_is_under_the_pointer_stays_there_where_the_picture_covers_the_stage() {
        let mut number = numbers();
        for fixture in all() {
            let mut viewport = Viewport::FITTED;
            for _ in 0..500 {
                let at = fixture.place(number(), number());
                let before = viewport.point_at(at).unwrap();
                let scale = viewport.scale * (0.7 + number());
                let after = viewport.zoomed(scale, at, &fixture.frame);
                let free = Viewport {
                    x: at.0 - before.x() * after.scale,
                    y: at.1 - before.y() * after.scale,
                    ..after
                };
                // Only the bounds move it.
                if free.bounded(&fixture.frame) == free {
                    let shown = after.point_at(at).unwrap();
                    let area = fixture.shown(after);
                    assert!((shown.x() - before.x()).abs() * area.width < 1.0);
                    assert!((shown.y() - before.y()).abs() * area.height < 1.0);
                }
                viewport = after;
            }
        }
    }

    #[test]
    fn a_corner_can_be_zoomed_into() {
        let fixture = frame((5_000.0, 4_000.0), (852.0, 640.0));
        let viewport = Viewport::FITTED.zoomed(4.0, (0.0, 0.0), &fixture.frame);
        let corner = viewport.point_at(fixture.place(0.0, 0.0));
        assert_eq!(corner, Some(Point::new(0.0, 0.0).unwrap()));
        assert_eq!(viewport.scale, 4.0);
    }

    #[test]
    fn a_pixel_becomes_at_most_eight_device_pixels() {
        for fixture in all() {
            let viewport = Viewport::FITTED.zoomed(1e9, (0.5, 0.5), &fixture.frame);
            let density = viewport.density(&fixture.frame);
            assert!((density - 8.0).abs() < 1e-6 || viewport.scale == 1.0);
        }
    }

    #[test]
    fn a_tall_picture_begins_at_its_top_and_can_be_seen_whole() {
        let fixture = frame((300.0, 9_000.0), (852.0, 640.0));
        let begin = Viewport::FITTED.bounded(&fixture.frame);
        assert!(begin.is_larger(&fixture.frame));
        assert!(fixture.shown(begin).top - 80.0 < 1e-9);
        let end = begin.moved(0.0, -50.0, &fixture.frame);
        let area = fixture.shown(end);
        assert!((area.top + area.height - 720.0).abs() < 1e-6);
        let whole = end.zoomed(0.0, (0.5, 0.5), &fixture.frame);
        assert!((fixture.shown(whole).height - 640.0).abs() < 1e-6);
        assert!(!whole.is_larger(&fixture.frame));
    }

    #[test]
    fn two_double_taps_lead_back() {
        let fixture = frame((5_000.0, 4_000.0), (852.0, 640.0));
        let at = (0.25, 0.25);
        let zoomed = Viewport::FITTED.toggled(at, &fixture.frame);
        assert_eq!(zoomed.scale, 2.5);
        let back = zoomed.toggled((0.75, 0.5), &fixture.frame);
        assert!(back.x.abs() < 1e-9 && back.y.abs() < 1e-9 && back.scale == 1.0);
    }

    #[test]
    fn the_point_in_the_middle_stays_there_when_the_stage_is_resized() {
        let before = frame((5_000.0, 4_000.0), (852.0, 640.0));
        let viewport = Viewport::FITTED.zoomed(4.0, (0.3, 0.6), &before.frame);
        let shown = viewport.point_at(before.frame.middle()).unwrap();
        let after = frame((5_000.0, 4_000.0), (390.0, 300.0));
        let resized = viewport.bounded(&after.frame);
        let still = resized.point_at(after.frame.middle()).unwrap();
        assert!((shown.x() - still.x()).abs() < 1e-9 && (shown.y() - still.y()).abs() < 1e-9);
    }

    #[test]
    fn an_image_without_area_has_no_frame() {
        let area = |width| Area {
            left: 0.0,
            top: 0.0,
            width,
            height: 10.0,
        };
        assert_eq!(Frame::new(area(10.0), area(0.0), 1.0, 1.0), None);
    }
}
