use super::*;

fn press(id: i32, is_touch: bool, at: Place) -> Press {
    Press {
        id,
        is_primary: id == 1,
        is_touch,
        at,
    }
}

fn pressed(is_touch: bool) -> Gesture {
    let mut gesture = Gesture::default();
    gesture.press(press(1, is_touch, (100.0, 100.0)));
    gesture
}

/// Two fingers.
fn pinching() -> Gesture {
    let mut gesture = pressed(true);
    gesture.press(press(2, true, (200.0, 100.0)));
    gesture
}

fn pan(from: Place, to: Place, factor: f64) -> Move {
    Move::Pan(Motion { from, to, factor })
}

#[test]
fn a_press_that_trembles_is_a_tap() {
    let mut gesture = pressed(false);
    assert_eq!(gesture.drag(1, (103.0, 101.0)), None);
    gesture.release(0.0, 1, (0.0, 0.0));
    assert_eq!(gesture.click(0.0, (103.0, 101.0)), Click::Tap);
    let mut gesture = pressed(true);
    assert_eq!(gesture.drag(1, (107.0, 101.0)), None);
}

#[test]
fn a_press_that_moves_is_a_drag_until_the_next_press() {
    let mut gesture = pressed(false);
    assert_eq!(
        gesture.drag(1, (110.0, 100.0)),
        Some(pan((100.0, 100.0), (110.0, 100.0), 1.0))
    );
    // Back where it began.
    gesture.drag(1, (100.0, 100.0));
    gesture.release(0.0, 1, (0.0, 0.0));
    assert_eq!(gesture.click(0.0, (100.0, 100.0)), Click::Drag);
    gesture.press(press(1, false, (100.0, 100.0)));
    gesture.release(50.0, 1, (100.0, 100.0));
    assert_eq!(gesture.click(50.0, (100.0, 100.0)), Click::Tap);
}

#[test]
fn two_pointers_pinch_and_move() {
    let mut gesture = pinching();
    assert_eq!(
        gesture.drag(2, (300.0, 100.0)),
        Some(pan((150.0, 100.0), (200.0, 100.0), 2.0))
    );
    gesture.release(0.0, 1, (0.0, 0.0));
    assert_eq!(
        gesture.drag(2, (300.0, 90.0)),
        Some(pan((300.0, 100.0), (300.0, 90.0), 1.0))
    );
    gesture.release(0.0, 2, (0.0, 0.0));
    assert_eq!(gesture.click(0.0, (300.0, 90.0)), Click::Drag);
}

#[test]
fn a_press_that_is_held_before_it_moves_draws() {
    for is_touch in [false, true] {
        let mut gesture = pressed(is_touch);
        assert_eq!(gesture.hold(1), Some((100.0, 100.0)));
        assert_eq!(gesture.drag(1, (102.0, 100.0)), None);
        let begin = Some(Move::Draw((100.0, 100.0)));
        assert_eq!(gesture.drag(1, (120.0, 100.0)), begin);
        let next = Some(Move::Draw((121.0, 100.0)));
        assert_eq!(gesture.drag(1, (121.0, 100.0)), next);
        assert_eq!(gesture.release(0.0, 1, (121.0, 100.0)), None);
        assert_eq!(gesture.click(10.0, (121.0, 100.0)), Click::Drag);
    }
}

#[test]
fn only_a_single_press_that_has_not_moved_is_held() {
    let mut gesture = pressed(true);
    gesture.drag(1, (120.0, 100.0));
    assert_eq!(gesture.hold(1), None, "it has moved");
    assert_eq!(pinching().hold(1), None, "it is a pinch");
    assert_eq!(pinching().hold(2), None, "it is a pinch");
    let mut gesture = pressed(false);
    gesture.release(0.0, 1, (100.0, 100.0));
    assert_eq!(gesture.hold(1), None, "it is released");
    gesture.press(press(1, false, (100.0, 100.0)));
    assert_eq!(gesture.hold(1), None, "it is another press");
    assert!(gesture.hold(2).is_some());
}

#[test]
fn a_second_finger_ends_a_line_and_pinches() {
    let mut gesture = pressed(true);
    gesture.hold(1);
    gesture.drag(1, (120.0, 100.0));
    gesture.press(press(2, true, (220.0, 100.0)));
    assert!(matches!(
        gesture.drag(2, (240.0, 100.0)),
        Some(Move::Pan(_))
    ));
}

#[test]
fn a_finger_that_is_held_and_released_is_a_long_press_and_no_tap() {
    let at = (100.0, 100.0);
    let mut gesture = pressed(true);
    gesture.hold(1);
    assert!(gesture.is_touched());
    assert_eq!(gesture.release(0.0, 1, at), Some(at));
    assert!(!gesture.is_touched());
    gesture.forget(1);
    assert!(gesture.is_long_press(), "also after its capture ends");
    assert_eq!(gesture.click(10.0, at), Click::Drag);
    gesture.press(press(1, true, at));
    assert!(!gesture.is_long_press());
    let mut gesture = pressed(false);
    gesture.hold(1);
    assert_eq!(gesture.release(0.0, 1, at), None, "it is a mouse");
    assert_eq!(gesture.click(10.0, at), Click::Tap);
}

#[test]
fn a_press_that_is_cancelled_is_not_held() {
    let mut gesture = pressed(true);
    gesture.forget(1);
    assert_eq!(gesture.hold(1), None);
}

#[test]
fn a_press_without_a_click_says_nothing_about_a_later_one() {
    let mut gesture = pressed(false);
    gesture.drag(1, (300.0, 100.0));
    gesture.release(0.0, 1, (300.0, 100.0));
    assert_eq!(gesture.click(2_000.0, (0.0, 0.0)), Click::Tap);
    let mut gesture = pressed(false);
    gesture.drag(1, (300.0, 100.0));
    gesture.forget(1);
    assert_eq!(gesture.click(10.0, (0.0, 0.0)), Click::Tap);
}

#[test]
fn a_third_pointer_is_ignored() {
    let mut gesture = pinching();
    gesture.press(press(3, true, (300.0, 100.0)));
    assert_eq!(gesture.drag(3, (400.0, 100.0)), None);
}

#[test]
fn every_second_quick_tap_at_a_place_is_a_double_tap() {
    let mut gesture = Gesture::default();
    let mut tap = |millis: f64, x: f64| {
        gesture.press(press(1, true, (x, 0.0)));
        gesture.release(millis, 1, (0.0, 0.0));
        gesture.click(millis, (x, 0.0))
    };
    assert_eq!(tap(0.0, 0.0), Click::Tap);
    assert_eq!(tap(200.0, 5.0), Click::DoubleTap);
    assert_eq!(tap(400.0, 0.0), Click::Tap);
    assert_eq!(tap(600.0, 0.0), Click::DoubleTap);
    assert_eq!(tap(800.0, 0.0), Click::Tap);
    assert_eq!(tap(1_000.0, 90.0), Click::Tap);
    assert_eq!(tap(1_400.0, 90.0), Click::Tap);
}

#[test]
fn a_rounded_place_is_that_of_the_last_pointer_event() {
    let mut gesture = Gesture::default();
    gesture.press(press(1, false, (100.75, 50.25)));
    assert_eq!(gesture.precise((100.0, 50.0)), (100.75, 50.25));
    gesture.release(0.0, 1, (102.5, 50.0));
    assert_eq!(gesture.precise((102.0, 50.0)), (102.5, 50.0));
    assert_eq!(gesture.precise((104.0, 50.0)), (104.0, 50.0));
}

#[test]
fn clicks_without_a_press_are_taps() {
    let mut gesture = Gesture::default();
    assert_eq!(gesture.click(0.0, (0.0, 0.0)), Click::Tap);
    assert_eq!(gesture.click(10.0, (0.0, 0.0)), Click::Tap);
}
