//! The ripples on the image: those of this tab's touches, within what the server accepts, and those of others.

use super::effect::Now;
use super::view::Ripple;
use crate::model::{Point, TabId, TabTag, TouchPoint, UploadId};

/// The maximum number of ripples that are drawn at once. When there are more, the oldest are removed.
const MAX_RIPPLES: usize = 64;
/// A token bucket: the server accepts 20 touches a second from a socket, in bursts of as many. Each touch costs 50 ms of
/// credit, and at most one second is saved.
const TOUCH_COST_MILLIS: u64 = 50;
const MAX_CREDIT_MILLIS: u64 = 1_000;

/// The ripples that are drawn now, and the credit for further touches.
#[derive(Debug)]
pub(super) struct Ripples {
    tab: TabId,
    /// Marks this tab's touches when they come back from the server.
    tag: TabTag,
    drawn: Vec<Ripple>,
    next_id: u64,
    credit_millis: u64,
    credited_at: u64,
}

impl Ripples {
    /// Starts without ripples; `tab` is this tab's random name, a secret.
    pub fn new(upload: UploadId, tab: TabId) -> Self {
        Self {
            tag: tab.tag(upload),
            tab,
            drawn: Vec::new(),
            next_id: 0,
            credit_millis: MAX_CREDIT_MILLIS,
            credited_at: 0,
        }
    }

    /// The ripples, oldest first.
    pub fn ripples(&self) -> &[Ripple] {
        &self.drawn
    }

    /// This tab's name.
    pub fn tab(&self) -> &TabId {
        &self.tab
    }

    /// Draws the reader's touch and returns the point to send; `None` when the rate limit is exceeded.
    pub fn touch(&mut self, at: Point, now: Now) -> Option<Point> {
        let earned = now.since(self.credited_at);
        self.credited_at = now.millis;
        let credit = self
            .credit_millis
            .saturating_add(earned)
            .min(MAX_CREDIT_MILLIS);
        self.credit_millis = credit;
        if credit < TOUCH_COST_MILLIS {
            return None;
        }
        self.credit_millis -= TOUCH_COST_MILLIS;
        self.draw(at, true);
        Some(rounded(at))
    }

    /// Draws touches from the server, except this tab's own, which are drawn already.
    pub fn on_touched(&mut self, points: Vec<TouchPoint>) {
        for point in points {
            if point.tab != self.tag {
                self.draw(point.at, false);
            }
        }
    }

    /// Removes a ripple whose animation has ended.
    pub fn remove(&mut self, id: u64) {
        self.drawn.retain(|ripple| ripple.id != id);
    }

    fn draw(&mut self, at: Point, mine: bool) {
        if self.drawn.len() == MAX_RIPPLES {
            self.drawn.remove(0);
        }
        let id = self.next_id;
        self.next_id += 1;
        self.drawn.push(Ripple { id, at, mine });
    }
}

/// Rounds to a millionth, a fraction of a pixel also where a large image is zoomed, to keep frames short.
fn rounded(at: Point) -> Point {
    let round = |fraction: f64| (fraction * 1_000_000.0).round() / 1_000_000.0;
    Point::new(round(at.x()), round(at.y())).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ripples() -> Ripples {
        Ripples::new(upload(), tab("me"))
    }

    fn upload() -> UploadId {
        UploadId::from_bytes([1; 12])
    }

    fn tab(name: &str) -> TabId {
        name.parse().unwrap()
    }

    fn at(x: f64, y: f64) -> Point {
        Point::new(x, y).unwrap()
    }

    fn now(millis: u64) -> Now {
        Now {
            millis,
            random: 0.5,
        }
    }

    /// What the server sends when the tab of this name touches.
    fn touch_of(name: &str, x: f64) -> TouchPoint {
        TouchPoint {
            at: at(x, 0.5),
            tab: tab(name).tag(upload()),
            author: None,
            name: None,
            stroke: None,
        }
    }

    #[test]
    fn a_touch_is_drawn_and_sent_with_six_decimals() {
        let mut ripples = ripples();
        let sent = ripples.touch(at(0.123_456_789, 1.0), now(1_000));
        assert_eq!(sent, Some(at(0.123_457, 1.0)));
        assert_eq!(ripples.ripples().len(), 1);
        assert!(ripples.ripples()[0].mine);
    }

    #[test]
    fn twenty_touches_at_once_and_twenty_a_second_are_accepted() {
        let mut ripples = ripples();
        let mut accepts = |millis| ripples.touch(at(0.5, 0.5), now(millis)).is_some();
        assert_eq!((0..30).filter(|_| accepts(5_000)).count(), 20);
        assert!(!accepts(5_049));
        assert!(accepts(5_050));
        assert!(!accepts(5_060));
        assert_eq!((0..1_000).filter(|i| accepts(6_050 + i)).count(), 20 + 19);
        assert_eq!((0..30).filter(|_| accepts(60_000)).count(), 20);
    }

    #[test]
    fn a_touch_beyond_the_limit_is_not_drawn() {
        let mut ripples = ripples();
        for _ in 0..25 {
            ripples.touch(at(0.5, 0.5), now(5_000));
        }
        assert_eq!(ripples.ripples().len(), 20);
    }

    #[test]
    fn the_tabs_own_touches_are_not_drawn_twice() {
        let mut ripples = ripples();
        ripples.on_touched(vec![touch_of("me", 0.1), touch_of("you", 0.2)]);
        assert_eq!(ripples.ripples().len(), 1);
        assert_eq!(ripples.ripples()[0].at, at(0.2, 0.5));
        assert!(!ripples.ripples()[0].mine);
    }

    #[test]
    fn a_touch_that_uses_a_known_tag_as_its_name_is_drawn() {
        let mut ripples = ripples();
        let seen = touch_of("me", 0.1).tab;
        ripples.on_touched(vec![touch_of(seen.as_str(), 0.2)]);
        assert_eq!(ripples.ripples().len(), 1);
        assert!(!ripples.ripples()[0].mine);
    }

    #[test]
    fn beyond_the_limit_the_oldest_ripples_are_removed() {
        let mut ripples = ripples();
        ripples.on_touched((0..100).map(|_| touch_of("you", 0.5)).collect());
        let ids: Vec<u64> = ripples.ripples().iter().map(|ripple| ripple.id).collect();
        assert_eq!(ids, (36..100).collect::<Vec<_>>());
        ripples.remove(50);
        assert_eq!(ripples.ripples().len(), 63);
    }
}
