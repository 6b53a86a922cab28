mod pointers;

use js_sys::Reflect;
use leptos::html::Div;
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Element, HtmlElement, KeyboardEvent, MouseEvent, ResizeObserver, WheelEvent};

use super::gesture::{Click, Gesture, Place};
use super::place::{area, arrow, decimal};
use super::viewport::{Frame, Viewport};
use crate::browser::target;
use crate::erased::effect;
use crate::model::Point;

/// What a key or a button of the zoom bar zooms by.
const STEP: f64 = 1.5;
/// What an arrow key moves by, as a part of the stage.
const ARROW: f64 = 0.1;
/// The pixels of a line, for wheels that count lines.
const LINE_PX: f64 = 16.0;
/// The most that one turn of a wheel counts when zooming, in pixels: a mouse sends 100 or more at once, a touchpad few.
const MAX_TURN_PX: f64 = 25.0;
/// From this number of device pixels for each of its own on, a zoomed picture is shown without smoothing.
const PIXELATED_FROM: f64 = 4.0;

/// Zooming and moving the picture. The style sheet lays out the fitted picture; this transforms it.
#[derive(Clone, Copy)]
pub struct Zoom {
    /// The part of the stage that the picture is fitted into.
    pub room: NodeRef<Div>,
    /// The fitted picture's box, which is not transformed.
    pub fitted: NodeRef<Div>,
    /// The picture with all that is on it, which is transformed.
    pub picture: NodeRef<Div>,
    /// The picture's width in its own pixels.
    pixels: f64,
    viewport: RwSignal<Viewport>,
    gesture: StoredValue<Gesture>,
    /// The largest scale so far.
    largest: RwSignal<f64>,
    /// The crosshair's point while it is shown: keys zoom around it.
    crosshair: StoredValue<Option<Point>>,
    /// The point where a line is drawn, or begins when the pointer moves.
    pub pen: RwSignal<Option<Point>>,
}

impl Zoom {
    /// Starts with the fitted picture.
    pub fn new(width: u32) -> Self {
        let zoom = Self {
            room: NodeRef::new(),
            fitted: NodeRef::new(),
            picture: NodeRef::new(),
            pixels: f64::from(width.max(1)),
            viewport: RwSignal::new(Viewport::FITTED),
            gesture: StoredValue::default(),
            largest: RwSignal::new(1.0),
            crosshair: StoredValue::new(None),
            pen: RwSignal::new(None),
        };
        effect(move || {
            if let Some(room) = zoom.room.get() {
                on_resize(&room, move || {
                    zoom.measure();
                    zoom.change(false, &Viewport::bounded);
                });
            }
        });
        zoom
    }

    /// Whether the picture was ever larger than fitted, tracked.
    pub fn has_zoomed_in(self) -> bool {
        self.largest.get() > 1.0
    }

    /// The size relative to the fitted picture, tracked: `150 %`.
    pub fn percentage(self) -> String {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a scale is positive and has an upper limit"
        )]
        let percent = (self.viewport.get().scale * 100.0).round() as u32;
        format!("{percent}\u{a0}%")
    }

    /// Zooms in by one step.
    pub fn enlarge(self) {
        self.zoom_by(STEP);
    }

    /// Zooms out by one step.
    pub fn reduce(self) {
        self.zoom_by(1.0 / STEP);
    }

    /// Zooms to the fitted size.
    pub fn fit(self) {
        self.zoom_by(1.0 / self.viewport.get_untracked().scale);
    }

    /// The middle of what is shown, and how much of the picture's width and height that is.
    pub fn shown(self) -> Option<(Point, (f64, f64))> {
        let (frame, viewport) = (self.frame()?, self.viewport.get_untracked());
        let middle = viewport.point_at(frame.middle())?;
        Some((middle, viewport.visible(&frame)))
    }

    /// Brings the crosshair's point into the middle, and keeps it in view when the size changes; `None` ends that.
    pub fn follow_crosshair(self, at: Option<Point>) {
        self.crosshair.set_value(at);
        if let Some(at) = at {
            self.change(true, &|viewport, frame| viewport.centred_on(at, frame));
        }
    }

    /// Brings this point into the middle if it is out of view.
    pub fn reveal(self, at: Point) {
        self.change(true, &|viewport, frame| {
            if viewport.shows(at, frame) {
                viewport
            } else {
                viewport.centred_on(at, frame)
            }
        });
    }

    /// Where on the stage's edge a point that is out of view is nearest, tracked: see [`Viewport::edge`].
    pub fn edge(self, at: Point) -> Option<(f64, f64)> {
        let viewport = self.viewport.get();
        viewport.edge(at, &self.frame()?)
    }

    /// Handles a click on a link on the picture; true if it ends a drag.
    pub fn on_link_click(self, ev: &MouseEvent) -> bool {
        self.click(ev).0 == Click::Drag
    }

    /// Handles a click on the picture; returns the point that it taps.
    pub fn on_click(self, ev: &MouseEvent) -> Option<Point> {
        let (click, at) = self.click(ev);
        if click == Click::Drag {
            return None;
        }
        let point = self.point_at(at);
        if click == Click::DoubleTap {
            self.change(true, &|viewport, frame| {
                viewport.toggled(frame.place(at), frame)
            });
        }
        point
    }

    /// The point that a menu is opened for: that of the event, or by a key that of the crosshair, or else the middle of
    /// what is shown.
    pub fn menu_point(self, ev: &MouseEvent) -> Option<Point> {
        if self.with_gesture(Gesture::take_menu_key) == Some(true) {
            let crosshair = self.crosshair.get_value();
            crosshair.or_else(|| self.shown().map(|shown| shown.0))
        } else if is_on(ev, ".picture *") {
            self.point_at(self.precise_place_of(ev))
        } else {
            None
        }
    }

    /// Zooms with Ctrl or Cmd, as a pinch on a touchpad is sent too. Otherwise moves a picture that is larger than the
    /// stage.
    pub fn on_wheel(self, ev: &WheelEvent) {
        let is_in_pixels = ev.delta_mode() == WheelEvent::DOM_DELTA_PIXEL;
        let unit = if is_in_pixels { 1.0 } else { LINE_PX };
        let (x, y) = (ev.delta_x() * unit, ev.delta_y() * unit);
        let at = self.precise_place_of(ev);
        if ev.ctrl_key() || ev.meta_key() {
            let turn = y.clamp(-MAX_TURN_PX, MAX_TURN_PX) / 100.0;
            let factor = if turn < 0.0 {
                1.0 - turn
            } else {
                1.0 / (1.0 + turn)
            };
            self.drag(at, at, factor);
        } else if self.is_larger() {
            // With Shift a wheel moves across.
            let (x, y) = if ev.shift_key() && x == 0.0 {
                (y, x)
            } else {
                (x, y)
            };
            self.drag(at, (at.0 - x, at.1 - y), 1.0);
        } else {
            return;
        }
        ev.prevent_default();
    }

    /// Handles a key on the stage: plus, minus and zero zoom, arrows move a larger picture.
    pub fn on_key(self, ev: &KeyboardEvent) {
        let key = ev.key();
        let is_menu_key = key == "ContextMenu" || (key == "F10" && ev.shift_key());
        self.with_gesture(|gesture| gesture.set_menu_key(is_menu_key));
        let is_modified = ev.ctrl_key() || ev.meta_key() || ev.alt_key();
        if ev.default_prevented() || is_modified {
            return;
        }
        match key.as_str() {
            "+" | "=" => self.enlarge(),
            "-" => self.reduce(),
            "0" => self.fit(),
            key => {
                let Some((x, y)) = arrow(key).filter(|_| self.is_larger()) else {
                    return;
                };
                self.change(true, &|viewport, frame| {
                    viewport.moved(-x * ARROW, -y * ARROW, frame)
                });
            }
        }
        ev.prevent_default();
    }

    fn click(self, ev: &MouseEvent) -> (Click, Place) {
        let at = self.precise_place_of(ev);
        let click = self.with_gesture(|gesture| gesture.click(ev.time_stamp(), at));
        (click.unwrap_or(Click::Tap), at)
    }

    fn point_at(self, at: Place) -> Option<Point> {
        let viewport = self.viewport.try_get_untracked()?;
        viewport.point_at(self.frame()?.place(at))
    }

    /// Where a click or a turn of the wheel is: browsers round these places, so that of the last pointer event is taken
    /// if it is the same.
    fn precise_place_of(self, ev: &MouseEvent) -> Place {
        let place = place_of(ev);
        let precise = self.with_gesture(|gesture| gesture.precise(place));
        precise.unwrap_or(place)
    }

    /// Returns `None` once the page was left.
    fn with_gesture<T>(self, run: impl FnOnce(&mut Gesture) -> T) -> Option<T> {
        self.gesture.try_update_value(run)
    }

    fn zoom_by(self, factor: f64) {
        let crosshair = self.crosshair.get_value();
        self.change(true, &|viewport, frame| {
            let at = crosshair.map_or_else(|| frame.middle(), |point| viewport.place_of(point));
            viewport.zoomed(viewport.scale * factor, at, frame)
        });
    }

    fn drag(self, from: Place, to: Place, factor: f64) {
        self.change(false, &|viewport, frame| {
            viewport.dragged(frame.place(from), frame.place(to), factor, frame)
        });
    }

    fn is_larger(self) -> bool {
        let viewport = self.viewport.get_untracked();
        self.frame().is_some_and(|frame| viewport.is_larger(&frame))
    }

    /// Shows the picture at what this returns, at once or eased.
    fn change(self, is_eased: bool, to: &dyn Fn(Viewport, &Frame) -> Viewport) {
        let frame = self.frame();
        let Some((frame, picture)) = frame.zip(self.picture.get_untracked()) else {
            return;
        };
        let before = self.viewport.get_untracked();
        let viewport = to(before, &frame);
        if viewport == before {
            return;
        }
        let is_pixelated = viewport.scale > 1.0 && viewport.density(&frame) >= PIXELATED_FROM;
        let mut class = String::from("picture");
        for (name, is_set) in [
            (" eased", is_eased),
            (" larger", viewport.is_larger(&frame)),
            (" pixelated", is_pixelated),
        ] {
            if is_set {
                class += name;
            }
        }
        picture.set_class_name(&class);
        set_lengths(
            &picture,
            &[
                ("--zoom", viewport.scale, ""),
                ("--left", viewport.x * 100.0, "%"),
                ("--top", viewport.y * 100.0, "%"),
            ],
        );
        if viewport.scale > self.largest.get_untracked() {
            self.largest.set(viewport.scale);
            // The browser loads a larger one if there is one that shows more. The one that it has stays meanwhile.
            if let Ok(Some(img)) = picture.query_selector("img[srcset]") {
                let width = decimal(viewport.scale * frame.fitted_width()) + "px";
                _ = img.set_attribute("sizes", &width);
            }
        }
        self.viewport.set(viewport);
    }

    /// Gives the style sheet the room's size.
    fn measure(self) {
        if let Some(room) = self.room.get_untracked() {
            let area = area(&room);
            let width = ("--room-width", area.width, "px");
            set_lengths(&room, &[width, ("--room-height", area.height, "px")]);
        }
    }

    fn frame(self) -> Option<Frame> {
        let room = self.room.get_untracked()?;
        let fitted = self.fitted.get_untracked()?;
        Frame::new(
            area(&room),
            area(&fitted),
            self.pixels,
            window().device_pixel_ratio(),
        )
    }
}

/// Calls this when the element is laid out, and whenever its size changes, until the reactive owner is cleaned up.
fn on_resize(element: &Element, run: impl FnMut() + 'static) {
    let changed = Closure::<dyn FnMut()>::new(run);
    if let Ok(observer) = ResizeObserver::new(changed.as_ref().unchecked_ref()) {
        observer.observe(element);
        let observed = SendWrapper::new((observer, changed));
        on_cleanup(move || observed.0.disconnect());
    }
}

fn set_lengths(element: &HtmlElement, lengths: &[(&str, f64, &str)]) {
    let style = element.style();
    for (name, number, unit) in lengths {
        // Fails only for a read-only style, and this is the element's own.
        _ = style.set_property(name, &(decimal(*number) + unit));
    }
}

fn is_on(ev: &MouseEvent, selector: &str) -> bool {
    target(ev).is_some_and(|target| target.matches(selector).unwrap_or(false))
}

/// Where the event is. `web-sys` has these properties as integers, but for pointer events they are fractions.
fn place_of(ev: &MouseEvent) -> Place {
    let get = |name: &str| Reflect::get(ev, &name.into()).ok()?.as_f64();
    (
        get("clientX").unwrap_or_default(),
        get("clientY").unwrap_or_default(),
    )
}
