//! The image, as large as the window allows and never cropped, and the taps on it.

mod clicks;
mod gesture;
mod keyboard;
mod picture;
mod pins;
mod place;
mod pointers;
mod pointing;
mod ripples;
mod spread;
mod strokes;
mod viewport;
mod zoom;
mod zoom_bar;

use leptos::ev::{Event, PointerEvent};
use leptos::nonce::use_nonce;
use leptos::prelude::*;

use crate::browser::object_url::ObjectUrl;
use crate::browser::target;
use crate::components::places::Places;
use crate::erased::effect;
use crate::live::Live;
use crate::model::{Content, Point};
use crate::texts::texts;
use clicks::Clicks;
use keyboard::KeyboardPointer;
#[cfg(feature = "ssr")]
pub use picture::alt;
use picture::{Picture, is_tall};
use pins::Pins;
use pointers::Pointers;
use pointing::Pointing;
use ripples::Ripples;
use spread::Spread;
use strokes::Strokes;
use zoom::Zoom;
use zoom_bar::ZoomBar;

/// Images of at most this width and height are icons, which are enlarged by whole numbers and without smoothing.
const MAX_ICON_PIXELS: u32 = 128;

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
    let spread = Spread::new();
    let places = Places::expect();
    effect(move || {
        if let Some(at) = places.revealed.get() {
            zoom.reveal(at);
        }
    });
    let tap = Callback::new(move |at: Point| {
        tapped.set(true);
        places.chosen.set(Some(at));
        live.touch(at);
    });
    let begin = Callback::new(move |at| places.begin_message(at));
    let clicks = Clicks {
        zoom,
        spread,
        intact,
        tap,
        begin,
    };
    let pointers = Pointers {
        zoom,
        live,
        spread,
        begin,
    };
    let press = move |ev: PointerEvent| {
        pointers.press(&ev, clicks.may_begin(&ev) && is_on_picture(&ev));
    };
    let class = room_class(&image);
    let fitted_class = fitted_class(local_file.is_some());
    let width = image.width.max(1).to_string();
    let height = image.height.max(1).to_string();
    view! {
        <div
            class="stage"
            tabindex="-1"
            on:wheel=move |ev| zoom.on_wheel(&ev)
            on:keydown=move |ev| zoom.on_key(&ev)
            on:contextmenu=move |ev| clicks.context_menu(&ev)
        >
            <div
                class=class
                node_ref=zoom.room
                on:pointerdown=press
                on:pointermove=move |ev| pointers.motion(&ev)
                on:pointerup=move |ev| pointers.release(&ev)
                on:mousedown=move |ev| zoom.on_mouse_down(&ev)
                on:pointercancel=move |ev| pointers.cancel(&ev)
                on:lostpointercapture=move |ev| pointers.cancel(&ev)
            >
                <div
                    class=fitted_class
                    // So that the page's policy allows its style.
                    nonce=use_nonce()
                    style=("--width", width)
                    style=("--height", height)
                    node_ref=zoom.fitted
                >
                    <div class="picture" node_ref=zoom.picture on:click=move |ev| clicks.click(&ev)>
                        <Picture image local_file intact zoom/>
                        <KeyboardPointer zoom on_tap=tap on_begin=begin/>
                        <Pins live spread/>
                        <Strokes zoom live/>
                        <Ripples live/>
                    </div>
                </div>
                <Pointing zoom live/>
            </div>
            <p class="hint scripted" class:gone=move || tapped.get()>
                <span class="for-mouse">{texts().hint_for_mouse}</span>
                <span class="for-touch">{texts().hint_for_touch}</span>
            </p>
            <ZoomBar zoom live/>
        </div>
    }
}

/// Whether the event is on the picture, and not beside it.
fn is_on_picture(ev: &Event) -> bool {
    target(ev).is_some_and(|target| matches!(target.closest(".picture"), Ok(Some(_))))
}

/// An image that this tab has just uploaded grows into its place.
fn fitted_class(is_new: bool) -> &'static str {
    if is_new { "fitted grows" } else { "fitted" }
}

/// The class that tells the style sheet how to fit the image.
fn room_class(image: &Content) -> &'static str {
    if image.width.max(image.height) <= MAX_ICON_PIXELS {
        "room icon"
    } else if is_tall(image) {
        "room tall"
    } else {
        "room"
    }
}
