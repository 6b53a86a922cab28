use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::TabId;

/// A coordinate outside 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("x and y are fractions of the image's width and height, from 0 to 1")]
pub struct NotAFraction;

/// A place on an image: fractions 0 to 1 of its width (from the left) and height (from the top).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Coordinates", into = "Coordinates")]
pub struct Point {
    x: f64,
    y: f64,
}

impl Point {
    /// The place at these fractions.
    ///
    /// # Errors
    /// When one of them is not a number from 0 to 1.
    pub fn new(x: f64, y: f64) -> Result<Self, NotAFraction> {
        let fraction = 0.0..=1.0;
        if fraction.contains(&x) && fraction.contains(&y) {
            Ok(Self { x, y })
        } else {
            Err(NotAFraction)
        }
    }

    /// The fraction of the width, from the left.
    pub const fn x(self) -> f64 {
        self.x
    }

    /// The fraction of the height, from the top.
    pub const fn y(self) -> f64 {
        self.y
    }
}

#[derive(Serialize, Deserialize)]
struct Coordinates {
    x: f64,
    y: f64,
}

impl TryFrom<Coordinates> for Point {
    type Error = NotAFraction;

    fn try_from(Coordinates { x, y }: Coordinates) -> Result<Self, NotAFraction> {
        Self::new(x, y)
    }
}

impl From<Point> for Coordinates {
    fn from(Point { x, y }: Point) -> Self {
        Self { x, y }
    }
}

/// A tap as it is told to everyone: where, and by which tab. JSON: `{"x":0.25,"y":0.5,"tab":"q7"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TouchPoint {
    /// Where.
    #[serde(flatten)]
    pub at: Point,
    /// Who, so that the tab can skip its own echo.
    pub tab: TabId,
}
