//! The image, as large as the window allows and never cropped, and the taps on it.

mod gesture;
mod keyboard;
mod picture;
mod pins;
mod place;
mod ripples;
mod viewport;
mod zoom;
mod zoom_bar;

use leptos::ev::{Event, MouseEvent, PointerEvent};
use leptos::prelude::*;

use crate::browser::object_url::ObjectUrl;
use crate::components::places::{Places, follow_pin, place_link};
use crate::erased::effect;
use crate::live::Live;
use crate::model::{Content, Point};
use keyboard::KeyboardPointer;
use picture::Picture;
#[cfg(feature = "ssr")]
pub use picture::alt;
use pins::Pins;
use ripples::Ripples;
use zoom::Zoom;
use zoom_bar::ZoomBar;

/// Images of at most this width and height are icons, which are enlarged by whole numbers and without smoothing.
const MAX_ICON_PIXELS: u32 = 128;
/// An image that is taller than so many times its width is fitted by width: as a whole it would be a thin strip.
const MAX_HEIGHTS: u32 = 3;

/// The image with everyone's ripples.
#[component]
pub fn ImageStage(
    image: Content,
    /// The file itself, if this tab uploaded it.
    local_file: Option<ObjectUrl>,
    live: Live,
) -> impl IntoView {
    let tapped = RwSignal::new(false);
    let intact = RwSignal::new(true);
    let zoom = Zoom::new(image.width);
    let places = Places::expect();
    effect(move || {
        if let Some(at) = places.revealed.get() {
            zoom.reveal(at);
        }
    });
    let tap = Callback::new(move |at: Point| {
        tapped.set(true);
        places.next.set(Some(at));
        live.touch(at);
    });
    let begin = Callback::new(move |at| places.begin_message(at));
    // Pins keep a link's menu.
    let is_place = move |ev: &Event| intact.get_untracked() && place_link(ev).is_none();
    let click = move |ev: MouseEvent| {
        if let Some(pin) = place_link(&ev) {
            ev.prevent_default();
            if zoom.ends_no_drag(&ev) {
                follow_pin(&pin);
            }
            return;
        }
        let at = zoom.on_click(&ev);
        if let Some(at) = at.filter(|_| intact.get_untracked()) {
            tap.run(at);
        }
    };
    let context_menu = move |ev: MouseEvent| {
        if is_place(&ev) {
            ev.prevent_default();
            if let Some(at) = zoom.point_of(&ev) {
                begin.run(at);
            }
        }
    };
    let press = move |ev: PointerEvent| {
        if is_place(&ev) {
            zoom.on_long_press(&ev, begin);
        }
    };
    let class = room_class(&image);
    let width = image.width.max(1).to_string();
    let height = image.height.max(1).to_string();
    let is_tapped = move || tapped.get();
    view! {
        <div class="stage" tabindex="-1" on:wheel=move |ev| zoom.on_wheel(&ev)>
            <div
                class=class
                node_ref=zoom.room
                on:pointerdown=move |ev| zoom.on_press(&ev)
                on:pointermove=move |ev| zoom.on_move(&ev)
                on:pointerup=move |ev| zoom.on_release(&ev)
                on:pointercancel=move |ev| zoom.on_release(&ev)
            >
                <div
                    class="fitted"
                    style=("--width", width)
                    style=("--height", height)
                    node_ref=zoom.fitted
                >
                    <div
                        class="picture"
                        node_ref=zoom.picture
                        on:pointerdown=press
                        on:click=click
                        on:contextmenu=context_menu
                    >
                        <Picture image local_file intact/>
                        <KeyboardPointer zoom on_tap=tap on_begin=begin/>
                        <Pins live/>
                        <Ripples live/>
                    </div>
                </div>
            </div>
            <p class="hint scripted" class:gone=is_tapped>
                "Tap the image to point at something"
            </p>
            <ZoomBar zoom live/>
        </div>
    }
}

/// The class that tells the style sheet how to fit the image.
fn room_class(image: &Content) -> &'static str {
    if image.width.max(image.height) <= MAX_ICON_PIXELS {
        "room icon"
    } else if image.height / MAX_HEIGHTS > image.width {
        "room tall"
    } else {
        "room"
    }
}
