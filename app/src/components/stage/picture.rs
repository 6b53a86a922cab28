use leptos::ev::MouseEvent;
use leptos::html::Img;
use leptos::prelude::*;

use super::keyboard::focus_stage;
use super::zoom::Zoom;
use crate::browser::object_url::ObjectUrl;
use crate::erased::effect;
use crate::model::{Content, MediaType};
use crate::texts::{fill, texts};

/// An image that is taller than so many times its width is fitted by width: as a whole it would be a thin strip.
const MAX_HEIGHTS: u32 = 3;

/// The image, and a message in its place if it cannot be loaded.
#[component]
pub fn Picture(
    image: Content,
    /// The file, if this tab uploaded it: it is shown instead of loading the image again.
    local_file: Option<ObjectUrl>,
    /// False once loading has failed.
    intact: RwSignal<bool>,
    zoom: Zoom,
) -> impl IntoView {
    let alt = alt(&image);
    let img = NodeRef::<Img>::new();
    let smaller = Candidates::of(&image);
    let has_own_width = smaller.as_ref().is_some_and(|it| it.has_own_width);
    let (srcset, sizes) = smaller.map_or((None, None), |it| (Some(it.srcset), Some(it.sizes)));
    let has_smaller = srcset.is_some();
    let source = RwSignal::new(match local_file {
        Some(_) => Source::Local,
        None => Source::Smaller,
    });
    let failed = move || match source.get_untracked() {
        // The browser may not support the file but support what the server has made of it.
        Source::Local => source.set(Source::Smaller),
        // The server may be too busy to make a smaller one.
        Source::Smaller if has_smaller => source.set(Source::Whole),
        Source::Smaller | Source::Whole => intact.set(false),
    };
    // Loading may have failed before hydration, when nothing listened.
    effect(move || {
        if let Some(img) = img.get()
            && img.complete()
            && img.natural_width() == 0
        {
            failed();
        }
    });
    let url = StoredValue::new(image.url);
    let src = move || {
        let local = local_file
            .as_ref()
            .filter(|_| source.get() == Source::Local);
        local.map_or_else(|| url.get_value(), |file| file.as_str().to_owned())
    };
    let srcset = StoredValue::new(srcset);
    let srcset = move || match source.get() {
        // Each of the image's pixels is looked at.
        Source::Smaller if has_own_width && zoom.has_zoomed_in() => None,
        Source::Smaller => srcset.get_value(),
        Source::Local | Source::Whole => None,
    };
    let retry = move |ev: MouseEvent| {
        focus_stage(&ev);
        intact.set(true);
        if let Some(img) = img.get_untracked() {
            img.set_src(&img.src());
        }
    };
    let is_intact = move || intact.get();
    view! {
        <img
            class=background(image.media_type)
            sizes=sizes
            srcset=srcset
            src=src
            width=image.width.to_string()
            height=image.height.to_string()
            alt=alt
            fetchpriority="high"
            draggable="false"
            node_ref=img
            on:error=move |_| failed()
        />
        <div class="picture-broken" role="alert" hidden=is_intact>
            <p>{texts().image_broken}</p>
            <button class="button" r#type="button" on:click=retry>
                {texts().try_again}
            </button>
        </div>
    }
}

/// What the picture is loaded from.
#[derive(Clone, Copy, PartialEq)]
enum Source {
    /// The file in this tab.
    Local,
    /// The smaller picture that the browser chooses, if there are some.
    Smaller,
    /// The image itself.
    Whole,
}

/// What a browser chooses from.
struct Candidates {
    srcset: String,
    /// How wide the picture is shown, before it is zoomed (`stage.css`).
    sizes: String,
    /// Whether the largest one is as wide as the image, which is then not among them.
    has_own_width: bool,
}

impl Candidates {
    /// Returns `None` for an image that has no smaller pictures.
    fn of(image: &Content) -> Option<Self> {
        let Content {
            url, width, height, ..
        } = image;
        let mut srcset = String::new();
        let mut widest = 0;
        for smaller in image.smaller_widths() {
            widest = smaller.min(*width);
            let separator = if srcset.is_empty() { "" } else { ", " };
            let (asked, widest) = (smaller.to_string(), widest.to_string());
            srcset += &[separator, url, "?w=", &asked, " ", &widest, "w"].concat();
        }
        if srcset.is_empty() {
            return None;
        }
        let has_own_width = widest == *width;
        if !has_own_width {
            srcset += &[", ", url, " ", &width.to_string(), "w"].concat();
        }
        // As wide as the window, or beside the conversation, and as wide as its height allows.
        let tallest = if is_tall(image) {
            String::new()
        } else {
            let percent = (width * 100).div_ceil(*height);
            [", ", &percent.to_string(), "vh"].concat()
        };
        let phone = ["min(100vw", &tallest, "), "].concat();
        let sizes = [
            "(max-width: 799px) ",
            &phone,
            "(max-width: 1100px) and (orientation: portrait) ",
            &phone,
            "min(100vw - 420px",
            &tallest,
            ")",
        ];
        Some(Self {
            srcset,
            sizes: sizes.concat(),
            has_own_width,
        })
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
    let (width, height) = (image.width.to_string(), image.height.to_string());
    let parts = [
        ("kind", kind),
        ("width", width.as_str()),
        ("height", height.as_str()),
    ];
    fill(texts().image_alt, &parts)
}

/// The class of the image's background: a JPEG is never transparent.
fn background(media_type: MediaType) -> &'static str {
    match media_type {
        MediaType::Jpeg => "",
        MediaType::Png | MediaType::Gif | MediaType::WebP => "checkered",
    }
}

/// Whether the image is fitted by width.
pub fn is_tall(image: &Content) -> bool {
    image.height / MAX_HEIGHTS > image.width
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(media_type: MediaType, width: u32, height: u32) -> Content {
        Content {
            url: "/i/aB3dE9xZ".to_owned(),
            media_type,
            size: 1,
            width,
            height,
        }
    }

    fn srcset(media_type: MediaType, width: u32) -> Option<String> {
        Candidates::of(&image(media_type, width, 600)).map(|it| it.srcset)
    }

    #[test]
    fn only_pictures_that_exist_are_offered() {
        assert_eq!(srcset(MediaType::Jpeg, 640), None);
        assert_eq!(srcset(MediaType::Gif, 4_000), None);
        assert_eq!(
            srcset(MediaType::Png, 641).unwrap(),
            "/i/aB3dE9xZ?w=640 640w, /i/aB3dE9xZ 641w"
        );
        assert_eq!(
            srcset(MediaType::WebP, 2_561).unwrap(),
            "/i/aB3dE9xZ?w=640 640w, /i/aB3dE9xZ?w=1280 1280w, /i/aB3dE9xZ?w=2560 2560w, /i/aB3dE9xZ 2561w"
        );
    }

    #[test]
    fn a_photo_that_is_a_png_is_offered_as_a_jpeg() {
        let photo = Content {
            size: 700_000,
            ..image(MediaType::Png, 1_000, 600)
        };
        let offered = |image: &Content| Candidates::of(image).map(|it| it.srcset);
        assert_eq!(
            offered(&photo).unwrap(),
            "/i/aB3dE9xZ?w=640 640w, /i/aB3dE9xZ?w=1280 1000w"
        );
        let narrow = Content {
            width: 600,
            height: 400,
            ..photo.clone()
        };
        assert_eq!(offered(&narrow).unwrap(), "/i/aB3dE9xZ?w=640 600w");
        for other in [
            Content {
                media_type: MediaType::Jpeg,
                ..narrow.clone()
            },
            // Few bytes, and few for its pixels.
            Content {
                size: 199_999,
                ..narrow.clone()
            },
            Content {
                width: 640,
                height: 1_100,
                ..narrow
            },
        ] {
            assert_eq!(offered(&other), None);
        }
    }

    #[test]
    fn the_width_of_an_image_that_is_fitted_by_width_does_not_depend_on_the_window_s_height() {
        let sizes = |height| {
            Candidates::of(&image(MediaType::Jpeg, 1_000, height))
                .unwrap()
                .sizes
        };
        assert!(sizes(667).ends_with("min(100vw - 420px, 150vh)"));
        assert!(sizes(5_000).ends_with("min(100vw - 420px)"));
    }
}
