//! The ripples on the image and the lines that are drawn on it: those of this tab's touches, within what the server
//! accepts, and those of others.

use super::effect::Now;
use super::strokes::Strokes;
use super::view::{Ripple, Segment, TouchedBy};
use crate::model::{AuthorName, Point, StrokeId, TabId, TouchPoint, UploadId, Viewer};

/// The maximum number of ripples and dots that are drawn at once. When there are more, the oldest are removed.
const MAX_RIPPLES: usize = 64;
/// A token bucket: the server accepts 20 touches a second from a socket, in bursts of as many. Each touch costs 50 ms
/// of credit, and at most one second is saved.
const TOUCH_COST_MILLIS: u64 = 50;
const MAX_CREDIT_MILLIS: u64 = 1_000;
/// A line gets a point at most so often: 30 a second on the own screen, of which 15 are sent.
const DRAW_INTERVAL_MILLIS: u64 = 33;
const SEND_INTERVAL_MILLIS: u64 = 66;

/// What is drawn now, and the credit for further touches.
#[derive(Debug)]
pub(super) struct Ripples {
    tab: TabId,
    /// Its tag marks this tab's touches when they come back from the server.
    me: TouchedBy,
    drawn: Vec<Ripple>,
    strokes: Strokes,
    /// The line that this tab draws.
    pen: Option<Pen>,
    next_stroke: u32,
    next_id: u64,
    credit_millis: u64,
    credited_at: u64,
}

#[derive(Debug)]
struct Pen {
    stroke: StrokeId,
    at: Point,
    drawn: LastPoint,
    sent: LastPoint,
}

/// The last point of a line that was drawn, or sent, and when.
#[derive(Debug, Default)]
struct LastPoint(Option<(Point, u64)>);

impl LastPoint {
    /// Takes the next point, unless it is the same or comes too early.
    fn take(&mut self, at: Point, now: Now, interval: u64) -> bool {
        let is_due = |&(last, millis): &(Point, u64)| last != at && now.since(millis) >= interval;
        let is_taken = self.0.as_ref().is_none_or(is_due);
        if is_taken {
            self.0 = Some((at, now.millis));
        }
        is_taken
    }
}

impl Ripples {
    /// Starts without ripples; `tab` is this tab's random name, a secret, and `me` is what others get to know.
    pub fn new(upload: UploadId, tab: TabId, me: Viewer) -> Self {
        Self {
            me: TouchedBy {
                tab: tab.tag(upload),
                author: me.author,
                name: me.name,
                mine: true,
            },
            tab,
            drawn: Vec::new(),
            strokes: Strokes::default(),
            pen: None,
            next_stroke: 0,
            next_id: 0,
            credit_millis: MAX_CREDIT_MILLIS,
            credited_at: 0,
        }
    }

    /// The ripples and dots, oldest first.
    pub fn ripples(&self) -> &[Ripple] {
        &self.drawn
    }

    /// The parts of lines, oldest first.
    pub fn segments(&self) -> &[Segment] {
        self.strokes.segments()
    }

    /// This tab's name.
    pub fn tab(&self) -> &TabId {
        &self.tab
    }

    /// Who touches in this tab.
    pub fn me(&self) -> &TouchedBy {
        &self.me
    }

    /// Changes the reader's alias.
    pub fn rename(&mut self, name: Option<AuthorName>) {
        self.me.name = name;
    }

    /// Draws the reader's touch and returns the point to send; `None` when the rate limit is exceeded.
    pub fn touch(&mut self, at: Point, is_sent: bool, now: Now) -> Option<Point> {
        self.pay(now).then(|| {
            self.draw(at, self.me.clone(), is_sent);
            rounded(at)
        })
    }

    /// Draws the reader's line to this point, and returns the point to send, if it is time for one. A ripple marks
    /// where the line begins.
    pub fn draw_line(&mut self, at: Point, is_sent: bool, now: Now) -> Option<(Point, StrokeId)> {
        if self.pen.is_none() {
            self.next_stroke += 1;
            self.pen = Some(Pen {
                stroke: self.next_stroke.to_string().parse().ok()?,
                at,
                drawn: LastPoint::default(),
                sent: LastPoint::default(),
            });
        }
        let pen = self.pen.as_mut()?;
        pen.at = at;
        self.advance(is_sent, now, DRAW_INTERVAL_MILLIS, SEND_INTERVAL_MILLIS)
    }

    /// Ends the reader's line where the pointer was last, and returns that point if it is still to be sent.
    pub fn end_line(&mut self, is_sent: bool, now: Now) -> Option<(Point, StrokeId)> {
        let last = self.advance(is_sent, now, 0, 0);
        let pen = self.pen.take()?;
        self.strokes.end(&self.me, &pen.stroke, is_sent);
        last
    }

    fn advance(
        &mut self,
        is_sent: bool,
        now: Now,
        draw_interval: u64,
        send_interval: u64,
    ) -> Option<(Point, StrokeId)> {
        let pen = self.pen.as_mut()?;
        let (at, stroke) = (pen.at, pen.stroke.clone());
        let is_drawn = pen.drawn.take(at, now, draw_interval);
        let is_due = pen.sent.take(at, now, send_interval);
        if is_drawn && self.strokes.extend(&self.me, &stroke, at, is_sent) {
            self.draw(at, self.me.clone(), is_sent);
        }
        (is_due && self.pay(now)).then(|| (rounded(at), stroke))
    }

    /// Draws touches from the server, except this tab's own, which are drawn already.
    pub fn on_touched(&mut self, points: Vec<TouchPoint>) {
        for point in points {
            if point.tab == self.me.tab {
                continue;
            }
            let by = TouchedBy {
                tab: point.tab,
                author: point.author,
                name: point.name,
                mine: false,
            };
            let stroke = point.stroke;
            if stroke.is_none_or(|stroke| self.strokes.extend(&by, &stroke, point.at, true)) {
                self.draw(point.at, by, true);
            }
        }
    }

    /// The animation of a ripple has ended: a dot is left of it. That of a dot: nothing is.
    pub fn end(&mut self, id: u64) {
        self.drawn
            .retain_mut(|ripple| ripple.id != id || (!ripple.is_dot && ripple.is_sent));
        if let Some(ripple) = self.drawn.iter_mut().find(|ripple| ripple.id == id) {
            ripple.is_dot = true;
        }
    }

    /// Removes a part of a line that has faded.
    pub fn end_segment(&mut self, id: u64) {
        self.strokes.remove(id);
    }

    /// Removes all that is drawn: their animations do not end while the page is not shown.
    pub fn clear(&mut self) {
        self.drawn.clear();
        self.strokes = Strokes::default();
        self.pen = None;
    }

    /// Takes the credit for a touch; false if there is not enough.
    fn pay(&mut self, now: Now) -> bool {
        let earned = now.since(self.credited_at);
        self.credited_at = now.millis;
        let credit = self
            .credit_millis
            .saturating_add(earned)
            .min(MAX_CREDIT_MILLIS);
        let is_paid = credit >= TOUCH_COST_MILLIS;
        self.credit_millis = if is_paid {
            credit - TOUCH_COST_MILLIS
        } else {
            credit
        };
        is_paid
    }

    fn draw(&mut self, at: Point, by: TouchedBy, is_sent: bool) {
        if self.drawn.len() == MAX_RIPPLES {
            self.drawn.remove(0);
        }
        let id = self.next_id;
        self.next_id += 1;
        self.drawn.push(Ripple {
            id,
            at,
            by,
            is_sent,
            is_dot: false,
        });
    }
}

/// Rounds to a millionth, a fraction of a pixel also where a large image is zoomed, to keep frames short.
fn rounded(at: Point) -> Point {
    let round = |fraction: f64| (fraction * 1_000_000.0).round() / 1_000_000.0;
    Point::new(round(at.x()), round(at.y())).unwrap_or(at)
}

#[cfg(test)]
mod tests;
