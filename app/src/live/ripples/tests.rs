use super::*;

fn ripples() -> Ripples {
    let me = Viewer {
        author: Some("aaaaaaaaaa".parse().unwrap()),
        name: Some("Me".parse().unwrap()),
    };
    Ripples::new(upload(), tab("me"), me)
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
    let sent = ripples.touch(at(0.123_456_789, 1.0), true, now(1_000));
    assert_eq!(sent, Some(at(0.123_457, 1.0)));
    assert_eq!(ripples.ripples().len(), 1);
    assert!(ripples.ripples()[0].by.mine);
}

#[test]
fn twenty_touches_at_once_and_twenty_a_second_are_accepted() {
    let mut ripples = ripples();
    let mut accepts = |millis| ripples.touch(at(0.5, 0.5), true, now(millis)).is_some();
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
        ripples.touch(at(0.5, 0.5), true, now(5_000));
    }
    assert_eq!(ripples.ripples().len(), 20);
}

#[test]
fn the_tabs_own_touches_are_not_drawn_twice() {
    let mut ripples = ripples();
    ripples.on_touched(vec![touch_of("me", 0.1), touch_of("you", 0.2)]);
    assert_eq!(ripples.ripples().len(), 1);
    assert_eq!(ripples.ripples()[0].at, at(0.2, 0.5));
    assert!(!ripples.ripples()[0].by.mine);
}

#[test]
fn a_touch_that_uses_a_known_tag_as_its_name_is_drawn() {
    let mut ripples = ripples();
    let seen = touch_of("me", 0.1).tab;
    ripples.on_touched(vec![touch_of(seen.as_str(), 0.2)]);
    assert_eq!(ripples.ripples().len(), 1);
    assert!(!ripples.ripples()[0].by.mine);
}

#[test]
fn beyond_the_limit_the_oldest_ripples_are_removed() {
    let mut ripples = ripples();
    ripples.on_touched((0..100).map(|_| touch_of("you", 0.5)).collect());
    let ids: Vec<u64> = ripples.ripples().iter().map(|ripple| ripple.id).collect();
    assert_eq!(ids, (36..100).collect::<Vec<_>>());
    ripples.end(50);
    assert_eq!(ripples.ripples().len(), 64);
    ripples.end(50);
    assert_eq!(ripples.ripples().len(), 63);
}

#[test]
fn a_ripple_becomes_a_dot_and_is_then_removed() {
    let mut ripples = ripples();
    ripples.on_touched(vec![touch_of("you", 0.1), touch_of("you", 0.2)]);
    ripples.end(0);
    let dots: Vec<bool> = ripples.ripples().iter().map(|it| it.is_dot).collect();
    assert_eq!(dots, [true, false]);
    ripples.end(0);
    assert_eq!(ripples.ripples().len(), 1);
    assert_eq!(ripples.ripples()[0].id, 1);
}

#[test]
fn nothing_is_left_of_a_touch_that_was_not_sent() {
    let mut ripples = ripples();
    ripples.touch(at(0.5, 0.5), false, now(1_000));
    assert!(!ripples.ripples()[0].is_sent);
    ripples.end(0);
    assert_eq!(ripples.ripples(), []);
}

#[test]
fn a_ripple_says_who_touched() {
    let mut ripples = ripples();
    let by = |author: &str, name: &str| {
        (
            Some(author.parse().unwrap()),
            Some(name.parse::<AuthorName>().unwrap()),
        )
    };
    let mut touch = touch_of("you", 0.2);
    (touch.author, touch.name) = by("bbbbbbbbbb", "Kim");
    ripples.on_touched(vec![touch]);
    ripples.rename(Some("Mira".parse().unwrap()));
    ripples.touch(at(0.5, 0.5), true, now(1_000));
    let drawn = ripples.ripples().iter().map(|it| it.by.clone());
    let drawn: Vec<_> = drawn.map(|by| (by.author, by.name)).collect();
    assert_eq!(drawn, [by("bbbbbbbbbb", "Kim"), by("aaaaaaaaaa", "Mira")]);
}

#[test]
fn a_line_is_sent_with_15_points_a_second_and_its_last_one() {
    let mut ripples = ripples();
    let mut sent = Vec::new();
    for millis in 0..=1_000_u32 {
        let point = at(f64::from(millis) / 1_000.0, 0.5);
        sent.extend(ripples.draw_line(point, true, now(5_000 + u64::from(millis))));
    }
    assert_eq!(sent.len(), 16);
    sent.extend(ripples.end_line(true, now(6_000)));
    assert_eq!(sent.len(), 17);
    assert_eq!(sent[16].0, at(1.0, 0.5));
    assert!(sent.iter().all(|(_, stroke)| stroke.as_str() == "1"));
    // One ripple where it began, and a curve for each of 30 points a second.
    assert_eq!(ripples.ripples().len(), 1);
    assert_eq!(ripples.segments().len(), 32);
    assert_eq!(ripples.segments()[31].points[2], at(1.0, 0.5));
    assert_eq!(ripples.end_line(true, now(6_000)), None);
    let (_, next) = ripples.draw_line(at(0.5, 0.5), true, now(7_000)).unwrap();
    assert_eq!(next.as_str(), "2");
}

#[test]
fn lines_and_taps_together_stay_within_the_limit() {
    let mut ripples = ripples();
    let mut sent = 0;
    for millis in 0..3_000_u32 {
        let point = at(f64::from(millis % 100) / 100.0, 0.5);
        let now = now(5_000 + u64::from(millis));
        sent += usize::from(ripples.draw_line(point, true, now).is_some());
        sent += usize::from(ripples.touch(point, true, now).is_some());
    }
    assert!(sent <= 80, "{sent} in three seconds, of 20 and 60");
}

#[test]
fn a_line_of_another_tab_begins_with_a_ripple() {
    let mut ripples = ripples();
    let touches = [0.1, 0.2, 0.3].map(|x| TouchPoint {
        stroke: Some("a7".parse().unwrap()),
        ..touch_of("you", x)
    });
    ripples.on_touched(touches.into());
    assert_eq!(ripples.ripples().len(), 1);
    assert_eq!(ripples.ripples()[0].at, at(0.1, 0.5));
    assert_eq!(ripples.segments().len(), 2);
    ripples.end_segment(0);
    assert_eq!(ripples.segments().len(), 1);
}
