//! The picture: as large as the window allows, never cropped, and to be pointed at.

mod keyboard;
mod place;
mod ripples;

use leptos::ev::MouseEvent;
use leptos::html::{Div, Img};
use leptos::prelude::*;

use crate::live::Live;
use crate::model::{Content, MediaType, Point};
use keyboard::KeyboardPointer;
use place::place;
use ripples::Ripples;

/// Pictures with no more pixels across and down are icons, whose pixels are shown as squares when they are enlarged.
const ICON_PIXELS: u32 = 128;

/// The picture with everyone's ripples on it.
#[component]
pub fn ImageStage(image: Content, live: Live) -> impl IntoView {
    let frame = NodeRef::<Div>::new();
    let tapped = RwSignal::new(false);
    let broken = RwSignal::new(false);
    let tap = Callback::new(move |at: Point| {
        tapped.set(true);
        live.tap(at);
    });
    let click = move |ev: MouseEvent| {
        let Some(frame) = frame.get_untracked() else {
            return;
        };
        let (x, y, area) = (
            f64::from(ev.client_x()),
            f64::from(ev.client_y()),
            frame.get_bounding_client_rect(),
        );
        let at = place(x, y, area.left(), area.top(), area.width(), area.height());
        if let Some(at) = at.filter(|_| !broken.get_untracked()) {
            tap.run(at);
        }
    };
    keep_ratio(frame, &image);
    let is_icon = image.width.max(image.height) <= ICON_PIXELS;
    view! {
        <div class="stage">
            <div
                class="picture"
                class:icon=is_icon
                node_ref=frame
                on:click=click
            >
                <Picture image broken/>
                <KeyboardPointer on_tap=tap/>
                <Ripples live/>
            </div>
            <p class="hint scripted" class:gone=tapped>"Tap the picture to point at something"</p>
        </div>
    }
    .into_any()
}

/// The picture's box has its place before a byte of it has come. The server's page says the ratio in its head (the
/// policy allows no `style` attribute); a page that the browser made says it here.
fn keep_ratio(frame: NodeRef<Div>, image: &Content) {
    let ratio = ratio(image).to_string();
    Effect::new(move || {
        if let Some(frame) = frame.get() {
            // Fails only for a read-only style, and this is the element's own.
            _ = (*frame).style().set_property("--ratio", &ratio);
        }
    });
}

/// Width by height, for the style sheet's `--ratio`.
pub fn ratio(image: &Content) -> f64 {
    f64::from(image.width.max(1)) / f64::from(image.height.max(1))
}

#[component]
fn Picture(image: Content, broken: RwSignal<bool>) -> impl IntoView {
    let alt = alt(&image);
    let img = NodeRef::<Img>::new();
    // It may have failed before the page was hydrated, when nobody listened.
    Effect::new(move || {
        if let Some(img) = img.get() {
            broken.set(img.complete() && img.natural_width() == 0);
        }
    });
    let url = image.url;
    let again = StoredValue::new(url.clone());
    let retry = move |_| {
        broken.set(false);
        if let Some(img) = img.get_untracked() {
            img.set_src(&again.get_value());
        }
    };
    view! {
        <img
            src=url
            width=image.width
            height=image.height
            alt=alt
            fetchpriority="high"
            draggable="false"
            node_ref=img
            on:error=move |_| broken.set(true)
        />
        {move || broken.get().then(|| view! {
            <div class="picture-broken" role="alert">
                <p>"The picture could not be loaded."</p>
                <button class="button" r#type="button" on:click=retry>"Try again"</button>
            </div>
        })}
    }
}

/// What is known of a picture without seeing it.
pub fn alt(image: &Content) -> String {
    let kind = match image.media_type {
        MediaType::Png => "PNG",
        MediaType::Jpeg => "JPEG",
        MediaType::Gif => "GIF",
        MediaType::WebP => "WebP",
    };
    format!(
        "The shared picture: {kind}, {} by {} pixels",
        image.width, image.height
    )
}
