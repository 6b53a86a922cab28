use crate::browser::effect;
use leptos::html::Img;
use leptos::prelude::*;

use crate::erased::{derive, handler};
use crate::model::{Content, MediaType};

/// The image itself, and what stands in its place when it does not come.
#[component]
pub fn Picture(
    image: Content,
    /// Whether it can be seen, as far as is known.
    intact: RwSignal<bool>,
) -> impl IntoView {
    let alt = alt(&image);
    let img = NodeRef::<Img>::new();
    // It may have failed before the page was hydrated, when nobody listened.
    effect(move || {
        if let Some(img) = img.get() {
            intact.set(!img.complete() || img.natural_width() > 0);
        }
    });
    let retry = move |_| {
        intact.set(true);
        if let Some(img) = img.get_untracked() {
            img.set_src(&img.src());
        }
    };
    let is_intact = derive(move || intact.get());
    view! {
        <img
            class=ground(image.media_type)
            src=image.url
            width=image.width.to_string()
            height=image.height.to_string()
            alt=alt
            fetchpriority="high"
            draggable="false"
            node_ref=img
            on:error:capture=handler(move |_| intact.set(false))
        />
        <div class="picture-broken" role="alert" hidden=is_intact>
            <p>"The picture could not be loaded."</p>
            <button class="button" r#type="button" on:click:capture=handler(retry)>
                "Try again"
            </button>
        </div>
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

/// What lies behind the picture: a JPEG is never transparent.
fn ground(media_type: MediaType) -> &'static str {
    match media_type {
        MediaType::Jpeg => "",
        MediaType::Png | MediaType::Gif | MediaType::WebP => "checkered",
    }
}

/// Width by height, for the style sheet's `--ratio`, as CSS writes it: `1200 / 800`.
#[cfg(feature = "ssr")]
pub fn ratio(image: &Content) -> String {
    format!("{} / {}", image.width.max(1), image.height.max(1))
}
