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

fn is_close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6
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
        for turn in 0..500 {
            let at = fixture.place(number(), number());
            viewport = match turn % 4 {
                0 => viewport.zoomed(viewport.scale * (0.3 + 2.0 * number()), at, &fixture.frame),
                1 => viewport.moved(number() - 0.5, number() - 0.5, &fixture.frame),
                2 => viewport.toggled(at, &fixture.frame),
                _ => {
                    let point = Point::new(number(), number()).unwrap();
                    let centred = viewport.centred_on(point, &fixture.frame);
                    assert!(centred.shows(point, &fixture.frame));
                    centred
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
    assert!(is_close(viewport.scale, 4.0));
}

#[test]
fn a_pixel_becomes_at_most_eight_device_pixels() {
    for fixture in all() {
        let viewport = Viewport::FITTED.zoomed(1e9, (0.5, 0.5), &fixture.frame);
        let density = viewport.density(&fixture.frame);
        assert!(is_close(density, 8.0) || is_close(viewport.scale, 1.0));
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
    assert!(is_close(zoomed.scale, 2.5));
    let back = zoomed.toggled((0.75, 0.5), &fixture.frame);
    assert!(is_close(back.x, 0.0) && is_close(back.y, 0.0) && is_close(back.scale, 1.0));
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
fn a_point_out_of_view_is_nearest_to_the_edge() {
    let fixture = frame((5_000.0, 4_000.0), (852.0, 640.0));
    let point = |x, y| Point::new(x, y).unwrap();
    let fitted = Viewport::FITTED.bounded(&fixture.frame);
    assert_eq!(fitted.edge(point(1.0, 0.0), &fixture.frame), None);
    let corner = Viewport::FITTED.zoomed(4.0, (0.0, 0.0), &fixture.frame);
    assert_eq!(corner.edge(point(0.1, 0.1), &fixture.frame), None);
    assert_eq!(
        corner.edge(point(1.0, 1.0), &fixture.frame),
        Some((1.0, 1.0))
    );
    let (x, y) = corner.edge(point(1.0, 0.125), &fixture.frame).unwrap();
    assert!(is_close(x, 1.0) && is_close(y, 0.5), "{x}, {y}");
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
