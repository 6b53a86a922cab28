//! The image, as large as the window allows and never cropped, and the taps on it.

mod keyboard;
mod picture;
mod place;
mod ripples;

use leptos::ev::MouseEvent;
use leptos::html::Div;
use leptos::prelude::*;
use web_sys::HtmlElement;

use crate::browser::object_url::ObjectUrl;
use crate::live::Live;
use crate::model::{Content, Point};
use keyboard::KeyboardPointer;
use picture::Picture;
#[cfg(feature = "ssr")]
pub use picture::alt;
use place::place;
use ripples::Ripples;

/// Images of at most this width and height are icons, which are enlarged without smoothing.
const MAX_ICON_PIXELS: u32 = 128;

/// The image with everyone's ripples.
#[component]
pub fn ImageStage(
    image: Content,
    /// The file itself, if this tab uploaded it.
    local_file: Option<ObjectUrl>,
    live: Live,
) -> impl IntoView {
    let frame = NodeRef::<Div>::new();
    let tapped = RwSignal::new(false);
    let intact = RwSignal::new(true);
    let tap = Callback::new(move |at: Point| {
        tapped.set(true);
        live.touch(at);
    });
    let click = move |ev: MouseEvent| {
        let at = frame
            .get_untracked()
            .and_then(|frame| place_of(&ev, &frame));
        if let Some(at) = at.filter(|_| intact.get_untracked()) {
            tap.run(at);
        }
    };
    let is_icon = image.width.max(image.height) <= MAX_ICON_PIXELS;
    let class = if is_icon { "picture icon" } else { "picture" };
    let ratio = format!("{} / {}", image.width.max(1), image.height.max(1));
    let is_tapped = move || tapped.get();
    view! {
        <div class="stage">
            <div class=class style=("--ratio", ratio) node_ref=frame on:click=click>
                <Picture image local_file intact/>
                <KeyboardPointer on_tap=tap/>
                <Ripples live/>
            </div>
            <p class="hint scripted" class:gone=is_tapped>
                "Tap the image to point at something"
            </p>
        </div>
    }
}

fn place_of(pointer: &MouseEvent, frame: &HtmlElement) -> Option<Point> {
    let area = frame.get_bounding_client_rect();
    let (x, y) = (f64::from(pointer.client_x()), f64::from(pointer.client_y()));
    place(x, y, area.left(), area.top(), area.width(), area.height())
}
