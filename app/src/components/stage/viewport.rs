//! Which part of the picture the stage shows. Lengths are in units of the fitted picture's width (across) and height
//! (down), so that they stay right when the window is resized.

use crate::model::Point;

/// The zoom of a double tap.
const DOUBLE_TAP_SCALE: f64 = 2.5;
/// The most that a pixel of the picture is enlarged to, in device pixels.
const MAX_DEVICE_PIXELS: f64 = 8.0;
/// Lengths that differ by less are equal: browsers round boxes to fractions of a pixel.
const TOLERANCE: f64 = 0.002;

/// A box, in CSS pixels of the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

impl Area {
    /// Its right edge.
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// Its lower edge.
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// The place in its middle.
    pub fn middle(&self) -> (f64, f64) {
        (self.left + self.width / 2.0, self.top + self.height / 2.0)
    }

    /// Whether a place is in it.
    pub fn contains(&self, (x, y): (f64, f64)) -> bool {
        x > self.left && x < self.right() && y > self.top && y < self.bottom()
    }
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
        f64::midpoint(self.start, self.end)
    }

    fn contains(self, place: f64) -> bool {
        place > self.start - TOLERANCE && place < self.end + TOLERANCE
    }

    fn is_exceeded_by(self, length: f64) -> bool {
        length > self.length() + TOLERANCE
    }

    /// How far along the stage a place is, from 0 at its start and before to 1 at its end and beyond.
    fn part(self, place: f64) -> f64 {
        ((place - self.start) / self.length()).clamp(0.0, 1.0)
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

    /// The width of the fitted picture, in CSS pixels.
    pub fn fitted_width(&self) -> f64 {
        self.fitted.width
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

    /// Whether this point of the picture is on the stage.
    pub fn shows(self, point: Point, frame: &Frame) -> bool {
        let (x, y) = self.place_of(point);
        frame.across.contains(x) && frame.down.contains(y)
    }

    /// Where on the stage's edge a point that is out of view is nearest, in parts of the stage's width and height.
    /// `None` for one on the stage.
    pub fn edge(self, point: Point, frame: &Frame) -> Option<(f64, f64)> {
        let (x, y) = self.place_of(point);
        let edge = (frame.across.part(x), frame.down.part(y));
        (!self.shows(point, frame)).then_some(edge)
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
mod tests;
