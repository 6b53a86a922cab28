use leptos::html::Img;
use leptos::prelude::*;

use crate::browser::object_url::ObjectUrl;
use crate::erased::effect;
use crate::model::{Content, MediaType};

/// The image, and a message in its place if it cannot be loaded.
#[component]
pub fn Picture(
    image: Content,
    /// The file, if this tab uploaded it: it is shown instead of loading the image again.
    local_file: Option<ObjectUrl>,
    /// False once loading has failed.
    intact: RwSignal<bool>,
) -> impl IntoView {
    let alt = alt(&image);
    let img = NodeRef::<Img>::new();
    // Loading may have failed before hydration, when nothing listened.
    effect(move || {
        if let Some(img) = img.get() {
            intact.set(!img.complete() || img.natural_width() > 0);
        }
    });
    let is_local = RwSignal::new(local_file.is_some());
    let url = StoredValue::new(image.url);
    let src = move || {
        let local = local_file.as_ref().filter(|_| is_local.get());
        local.map_or_else(|| url.get_value(), |file| file.as_str().to_owned())
    };
    let failed = move |_| {
        // The browser may not support the file but support what the server has made of it.
        if is_local.get_untracked() {
            is_local.set(false);
        } else {
            intact.set(false);
        }
    };
    let retry = move |_| {
        intact.set(true);
        if let Some(img) = img.get_untracked() {
            img.set_src(&img.src());
        }
    };
    let is_intact = move || intact.get();
    view! {
        <img
            class=background(image.media_type)
            src=src
            width=image.width.to_string()
            height=image.height.to_string()
            alt=alt
            fetchpriority="high"
            draggable="false"
            node_ref=img
            on:error=failed
        />
        <div class="picture-broken" role="alert" hidden=is_intact>
            <p>"The image could not be loaded."</p>
            <button class="button" r#type="button" on:click=retry>
                "Try again"
            </button>
        </div>
    }
}

/// The image's alternative text.
pub fn alt(image: &Content) -> String {
    let kind = match image.media_type {
        MediaType::Png => "PNG",
        MediaType::Jpeg => "JPEG",
        MediaType::Gif => "GIF",
        MediaType::WebP => "WebP",
    };
    format!(
        "The shared image: {kind}, {} by {} pixels",
        image.width, image.height
    )
}

/// The class of the image's background: a JPEG is never transparent.
fn background(media_type: MediaType) -> &'static str {
    match media_type {
        MediaType::Jpeg => "",
        MediaType::Png | MediaType::Gif | MediaType::WebP => "checkered",
    }
}
