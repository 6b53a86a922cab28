//! Taps: one's own at once, within what the server accepts, and those of others.

use super::Ripple;
use super::effect::Now;
use crate::model::{Point, TabId, TabTag, TouchPoint, UploadId};

/// How many ripples are drawn at once. Of more, the oldest go.
const MAX_RIPPLES: usize = 64;
/// The server takes 20 touches a second from a socket, in bursts of as many: each costs the credit of 50 ms, and
/// one second's is kept.
const TOUCH_COST_MILLIS: u64 = 50;
const MAX_CREDIT_MILLIS: u64 = 1_000;

/// The ripples that are drawn now, and how many more may be made.
#[derive(Debug)]
pub(super) struct Touches {
    tab: TabId,
    /// By which its own taps come back.
    tag: TabTag,
    ripples: Vec<Ripple>,
    next_id: u64,
    credit_millis: u64,
    counted_at: u64,
}

impl Touches {
    /// None yet; `tab` is this tab's random name, a secret.
    pub fn new(upload: UploadId, tab: TabId) -> Self {
        Self {
            tag: tab.tag(upload),
            tab,
            ripples: Vec::new(),
            next_id: 0,
            credit_millis: MAX_CREDIT_MILLIS,
            counted_at: 0,
        }
    }

    /// The ripples, oldest first.
    pub fn ripples(&self) -> &[Ripple] {
        &self.ripples
    }

    /// This tab's name.
    pub fn tab(&self) -> &TabId {
        &self.tab
    }

    /// Draws one's own tap and answers with the point to tell everyone; `None` when that is too many a second.
    pub fn tap(&mut self, at: Point, now: Now) -> Option<Point> {
        let earned = now.since(self.counted_at);
        self.counted_at = now.millis;
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

    /// Draws the taps of others; this tab's own echo is drawn already.
    pub fn touched(&mut self, points: Vec<TouchPoint>) {
        for point in points {
            if point.tab != self.tag {
                self.draw(point.at, false);
            }
        }
    }

    /// Removes a ripple that has faded.
    pub fn finish(&mut self, id: u64) {
        self.ripples.retain(|ripple| ripple.id != id);
    }

    fn draw(&mut self, at: Point, mine: bool) {
        if self.ripples.len() == MAX_RIPPLES {
            self.ripples.remove(0);
        }
        let id = self.next_id;
        self.next_id += 1;
        self.ripples.push(Ripple { id, at, mine });
    }
}

/// A tenth of a pixel on the widest screens is enough, and keeps frames short.
fn rounded(at: Point) -> Point {
    let round = |fraction: f64| (fraction * 10_000.0).round() / 10_000.0;
    Point::new(round(at.x()), round(at.y())).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touches() -> Touches {
        Touches::new(upload(), tab("me"))
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

    /// What everyone is told when a tab of this name taps.
    fn touch(x: f64, name: &str) -> TouchPoint {
        TouchPoint {
            at: at(x, 0.5),
            tab: tab(name).tag(upload()),
        }
    }

    #[test]
    fn a_tap_is_drawn_at_once_and_told_with_four_decimals() {
        let mut touches = touches();
        let told = touches.tap(at(0.123_456_789, 1.0), now(1_000));
        assert_eq!(told, Some(at(0.1235, 1.0)));
        assert_eq!(touches.ripples().len(), 1);
        assert!(touches.ripples()[0].mine);
    }

    #[test]
    fn twenty_taps_at_once_and_twenty_a_second_are_taken() {
        let mut touches = touches();
        let mut taken = |millis| touches.tap(at(0.5, 0.5), now(millis)).is_some();
        assert_eq!((0..30).filter(|_| taken(5_000)).count(), 20);
        assert!(!taken(5_049));
        assert!(taken(5_050));
        assert!(!taken(5_060));
        assert_eq!((0..1_000).filter(|i| taken(6_050 + i)).count(), 20 + 19);
        assert_eq!((0..30).filter(|_| taken(60_000)).count(), 20);
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_away() {
        let mut touches = touches();
        for _ in 0..20 {
            touches.tap(at(0.5, 0.5), now(5_000));
        }
        assert_eq!(touches.tap(at(0.5, 0.5), now(1_000)), None);
        assert!(touches.tap(at(0.5, 0.5), now(1_050)).is_some());
    }

    #[test]
    fn a_tap_too_many_is_not_drawn() {
        let mut touches = touches();
        for _ in 0..25 {
            touches.tap(at(0.5, 0.5), now(5_000));
        }
        assert_eq!(touches.ripples().len(), 20);
    }

    #[test]
    fn ones_own_echo_is_skipped() {
        let mut touches = touches();
        touches.touched(vec![touch(0.1, "me"), touch(0.2, "you")]);
        assert_eq!(touches.ripples().len(), 1);
        assert_eq!(touches.ripples()[0].at, at(0.2, 0.5));
        assert!(!touches.ripples()[0].mine);
    }

    #[test]
    fn a_tap_under_a_tag_that_was_seen_is_drawn() {
        let mut touches = touches();
        let seen = touch(0.1, "me").tab;
        touches.touched(vec![touch(0.2, seen.as_str())]);
        assert_eq!(touches.ripples().len(), 1);
        assert!(!touches.ripples()[0].mine);
    }

    #[test]
    fn of_too_many_ripples_the_oldest_go() {
        let mut touches = touches();
        touches.touched((0..100).map(|_| touch(0.5, "you")).collect());
        let ids: Vec<u64> = touches.ripples().iter().map(|ripple| ripple.id).collect();
        assert_eq!(ids, (36..100).collect::<Vec<_>>());
        touches.finish(50);
        assert_eq!(touches.ripples().len(), 63);
    }
}
