//! The lines that people draw on the image, as segments that fade.

use super::view::{Segment, TouchedBy};
use crate::model::{Point, StrokeId, TabTag};

/// The maximum number of segments that are drawn at once. When there are more, the oldest are removed.
const MAX_SEGMENTS: usize = 256;
/// The maximum number of lines that are continued. When there are more, those that were not for the longest time begin
/// anew.
const MAX_LINES: usize = 64;

/// The segments that are drawn now, and where each line goes on.
#[derive(Debug, Default)]
pub(super) struct Strokes {
    drawn: Vec<Segment>,
    /// Those that were continued last come last.
    lines: Vec<Line>,
    next_id: u64,
}

#[derive(Debug)]
struct Line {
    tab: TabTag,
    stroke: StrokeId,
    /// Its last point.
    tip: Point,
    /// The end of its last segment, in the middle between its last two points: the curves meet smoothly there.
    end: Point,
}

impl Strokes {
    /// The segments, oldest first.
    pub fn segments(&self) -> &[Segment] {
        &self.drawn
    }

    /// Continues the line to this point; true if it begins there.
    pub fn extend(&mut self, by: &TouchedBy, stroke: &StrokeId, at: Point, is_sent: bool) -> bool {
        let line = self.take_line(by.tab, stroke);
        let begins = line.is_none();
        let end = line.map_or(at, |line| {
            let end = middle(line.tip, at);
            self.draw([line.end, line.tip, end], by, is_sent);
            end
        });
        if self.lines.len() == MAX_LINES {
            self.lines.remove(0);
        }
        self.lines.push(Line {
            tab: by.tab,
            stroke: stroke.clone(),
            tip: at,
            end,
        });
        begins
    }

    /// Draws the line to its last point, and ends it.
    pub fn end(&mut self, by: &TouchedBy, stroke: &StrokeId, is_sent: bool) {
        if let Some(line) = self.take_line(by.tab, stroke) {
            self.draw([line.end, line.tip, line.tip], by, is_sent);
        }
    }

    /// Removes a segment that has faded.
    pub fn remove(&mut self, id: u64) {
        self.drawn.retain(|segment| segment.id != id);
    }

    fn take_line(&mut self, tab: TabTag, stroke: &StrokeId) -> Option<Line> {
        let is_it = |line: &Line| line.tab == tab && line.stroke == *stroke;
        let index = self.lines.iter().position(is_it)?;
        Some(self.lines.remove(index))
    }

    fn draw(&mut self, points: [Point; 3], by: &TouchedBy, is_sent: bool) {
        if self.drawn.len() == MAX_SEGMENTS {
            self.drawn.remove(0);
        }
        let id = self.next_id;
        self.next_id += 1;
        self.drawn.push(Segment {
            id,
            points,
            by: by.clone(),
            is_sent,
        });
    }
}

fn middle(a: Point, b: Point) -> Point {
    let (x, y) = (f64::midpoint(a.x(), b.x()), f64::midpoint(a.y(), b.y()));
    Point::new(x, y).unwrap_or(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{TabId, UploadId};

    fn by(tab: &str) -> TouchedBy {
        let tab: TabId = tab.parse().unwrap();
        TouchedBy {
            tab: tab.tag(UploadId::from_bytes([1; 12])),
            author: None,
            name: None,
            mine: false,
        }
    }

    fn at(x: f64) -> Point {
        Point::new(x, 0.5).unwrap()
    }

    fn stroke(id: &str) -> StrokeId {
        id.parse().unwrap()
    }

    #[test]
    fn segments_join_in_the_middle_between_points_and_end_at_the_last_one() {
        let mut strokes = Strokes::default();
        let (kim, first) = (by("kim"), stroke("1"));
        assert!(strokes.extend(&kim, &first, at(0.0), true));
        assert!(!strokes.extend(&kim, &first, at(0.2), true));
        assert!(!strokes.extend(&kim, &first, at(0.4), true));
        strokes.end(&kim, &first, true);
        let points: Vec<_> = strokes.segments().iter().map(|it| it.points).collect();
        let middles = [middle(at(0.0), at(0.2)), middle(at(0.2), at(0.4))];
        assert_eq!(
            points,
            [
                [at(0.0), at(0.0), middles[0]],
                [middles[0], at(0.2), middles[1]],
                [middles[1], at(0.4), at(0.4)],
            ]
        );
        assert!(strokes.extend(&kim, &first, at(0.6), true), "it has ended");
    }

    #[test]
    fn lines_of_one_id_from_two_tabs_are_two() {
        let mut strokes = Strokes::default();
        assert!(strokes.extend(&by("kim"), &stroke("1"), at(0.1), true));
        assert!(strokes.extend(&by("mira"), &stroke("1"), at(0.9), true));
        assert!(strokes.extend(&by("kim"), &stroke("2"), at(0.5), true));
        assert_eq!(strokes.segments(), []);
    }

    #[test]
    fn segments_and_lines_are_bounded() {
        let mut strokes = Strokes::default();
        for n in 0..300_u32 {
            strokes.extend(&by("kim"), &stroke("1"), at(f64::from(n) / 300.0), true);
        }
        assert_eq!(strokes.segments().len(), 256);
        assert_eq!(strokes.segments()[0].id, 299 - 256);
        strokes.remove(100);
        assert_eq!(strokes.segments().len(), 255);
        for n in 0..64 {
            strokes.extend(&by("mira"), &stroke(&n.to_string()), at(0.5), true);
        }
        assert!(strokes.extend(&by("kim"), &stroke("1"), at(0.5), true));
        assert!(!strokes.extend(&by("mira"), &stroke("63"), at(0.5), true));
    }
}
