use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::stroke::StrokeId;
use super::tag::{AuthorTag, TabTag};
use super::text::AuthorName;

/// A coordinate outside 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("x and y are fractions of the image's width and height, from 0 to 1")]
pub struct NotAFraction;

/// A point on an image: fractions 0 to 1 of its width (from the left) and height (from the top).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Coordinates", into = "Coordinates")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Point {
    /// The fraction of the width, from the left.
    #[cfg_attr(feature = "ssr", schema(minimum = 0, maximum = 1))]
    x: f64,
    /// The fraction of the height, from the top.
    #[cfg_attr(feature = "ssr", schema(minimum = 0, maximum = 1))]
    y: f64,
}

/// Fractions are numbers, never NaN.
impl Eq for Point {}

impl Point {
    /// The point at these fractions.
    ///
    /// # Errors
    /// When one of them is not a number from 0 to 1.
    pub fn new(x: f64, y: f64) -> Result<Self, NotAFraction> {
        let fraction = 0.0..=1.0;
        if fraction.contains(&x) && fraction.contains(&y) {
            // Adding zero turns -0.0 into 0.0, so that equal points have the same JSON.
            Ok(Self {
                x: x + 0.0,
                y: y + 0.0,
            })
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

/// A touch as it is sent to all watchers: where, and by which tab. JSON: `{"x":0.25,"y":0.5,"tab":"x22zgdklfk"}`, and
/// `author`, `name` and `stroke` if they were given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Touch", into = "Touch")]
pub struct TouchPoint {
    /// Where.
    pub at: Point,
    /// By whom, so that the tab can ignore its own touches.
    pub tab: TabTag,
    /// The tag of who touches, as they say.
    pub author: Option<AuthorTag>,
    /// The alias of who touches, as they say.
    pub name: Option<AuthorName>,
    /// The line that the touch is a part of, unique for the tab.
    pub stroke: Option<StrokeId>,
}

/// The flat form of a [`TouchPoint`] in JSON (serde's own `flatten` would buffer each of them).
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
struct Touch {
    x: f64,
    y: f64,
    tab: TabTag,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<AuthorTag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<AuthorName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stroke: Option<StrokeId>,
}

#[cfg(feature = "ssr")]
impl utoipa::PartialSchema for TouchPoint {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        Touch::schema()
    }
}

#[cfg(feature = "ssr")]
impl utoipa::ToSchema for TouchPoint {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>) {
        Touch::schemas(schemas);
    }
}

impl TryFrom<Touch> for TouchPoint {
    type Error = NotAFraction;

    fn try_from(touch: Touch) -> Result<Self, NotAFraction> {
        Ok(Self {
            at: Point::new(touch.x, touch.y)?,
            tab: touch.tab,
            author: touch.author,
            name: touch.name,
            stroke: touch.stroke,
        })
    }
}

impl From<TouchPoint> for Touch {
    fn from(touch: TouchPoint) -> Self {
        Self {
            x: touch.at.x,
            y: touch.at.y,
            tab: touch.tab,
            author: touch.author,
            name: touch.name,
            stroke: touch.stroke,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_of_the_image_are_on_it() {
        for (x, y) in [(0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (f64::MIN_POSITIVE, 0.5)] {
            assert!(Point::new(x, y).is_ok(), "{x}, {y}");
        }
    }

    #[test]
    fn coordinates_outside_the_image_are_refused() {
        let beyond = [
            1.000_000_1,
            1.0 + f64::EPSILON,
            -1e-9,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ];
        for wrong in beyond {
            assert_eq!(Point::new(wrong, 0.5), Err(NotAFraction), "{wrong}");
            assert_eq!(Point::new(0.5, wrong), Err(NotAFraction), "{wrong}");
        }
    }

    #[test]
    fn minus_zero_is_zero() {
        let point = Point::new(-0.0, -0.0).unwrap();
        assert_eq!(
            serde_json::to_string(&point).unwrap(),
            r#"{"x":0.0,"y":0.0}"#
        );
    }

    #[test]
    fn json_is_checked() {
        for wrong in [
            r#"{"x":1.0000001,"y":0,"tab":"aaaaaaaaaa"}"#,
            r#"{"x":0,"y":-1,"tab":"aaaaaaaaaa"}"#,
            r#"{"x":null,"y":0,"tab":"aaaaaaaaaa"}"#,
            r#"{"x":0,"y":0,"tab":""}"#,
            r#"{"x":0,"y":0,"tab":"q7"}"#,
            r#"{"x":0,"y":0}"#,
            r#"{"x":0,"y":0,"tab":"aaaaaaaaaa","author":"nope"}"#,
            r#"{"x":0,"y":0,"tab":"aaaaaaaaaa","name":"a\nb"}"#,
            r#"{"x":0,"y":0,"tab":"aaaaaaaaaa","stroke":"a-b"}"#,
        ] {
            assert!(
                serde_json::from_str::<TouchPoint>(wrong).is_err(),
                "{wrong}"
            );
        }
    }
}
