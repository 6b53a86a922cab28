//! What a page says of itself to those who do not see it: search engines and the previews of links.

use leptos::prelude::*;
use leptos::tachys::html::attribute::custom::custom_attribute;

use crate::components::{image_alt, image_ratio};
use crate::model::UploadPage;
use crate::source::Shown;

const PITCH: &str =
    "Drop an image and share its link. Everyone sees it, talks about it, and sees where you tap.";

/// One `<meta>`: named after HTML's list, or after the Open Graph's.
enum Tag {
    Name(&'static str, String),
    Property(&'static str, String),
}

/// The elements that describe the page.
pub fn describe(origin: &str, shown: &Shown) -> AnyView {
    match shown {
        Shown::Home => described(&format!("{origin}/"), home(origin)),
        Shown::Upload(page) => {
            let url = format!("{origin}/u/{}", page.upload.short_id);
            described(&url, upload(origin, &url, page))
        }
        Shown::NotFound | Shown::Unavailable => noindex().into_any(),
    }
}

fn described(url: &str, tags: Vec<Tag>) -> AnyView {
    let tags = tags.into_iter().map(meta).collect_view();
    view! {
        <link rel="canonical" href=url.to_owned()/>
        {tags}
    }
    .into_any()
}

fn meta(tag: Tag) -> AnyView {
    match tag {
        Tag::Name(name, content) => view! { <meta name=name content=content/> }.into_any(),
        Tag::Property(property, content) => {
            let property = custom_attribute("property", property);
            view! { <meta {..property} content=content/> }.into_any()
        }
    }
}

/// Links are for those who were given them.
fn noindex() -> impl IntoView {
    view! { <meta name="robots" content="noindex"/> }
}

fn home(origin: &str) -> Vec<Tag> {
    let pitch = || PITCH.to_owned();
    vec![
        Tag::Name("description", pitch()),
        Tag::Property("og:type", "website".to_owned()),
        Tag::Property("og:site_name", "Tonesa".to_owned()),
        Tag::Property("og:title", "Point at a picture, together.".to_owned()),
        Tag::Property("og:description", pitch()),
        Tag::Property("og:url", format!("{origin}/")),
        Tag::Name("twitter:card", "summary".to_owned()),
    ]
}

fn upload(origin: &str, url: &str, page: &UploadPage) -> Vec<Tag> {
    let image = &page.upload.content;
    let picture = format!("{origin}{}", image.url);
    let title = "A shared picture on Tonesa".to_owned();
    let description = description(page.page.head.get());
    let alt = image_alt(image);
    vec![
        Tag::Name("robots", "noindex".to_owned()),
        Tag::Name("description", description.clone()),
        Tag::Property("og:type", "website".to_owned()),
        Tag::Property("og:site_name", "Tonesa".to_owned()),
        Tag::Property("og:title", title.clone()),
        Tag::Property("og:description", description.clone()),
        Tag::Property("og:url", url.to_owned()),
        Tag::Property("og:image", picture.clone()),
        Tag::Property("og:image:type", image.media_type.as_str().to_owned()),
        Tag::Property("og:image:width", image.width.to_string()),
        Tag::Property("og:image:height", image.height.to_string()),
        Tag::Property("og:image:alt", alt.clone()),
        Tag::Name("twitter:card", "summary_large_image".to_owned()),
        Tag::Name("twitter:title", title),
        Tag::Name("twitter:description", description),
        Tag::Name("twitter:image", picture),
        Tag::Name("twitter:image:alt", alt),
    ]
}

fn description(messages: u64) -> String {
    let said = match messages {
        0 => String::new(),
        1 => " One message so far.".to_owned(),
        many => format!(" {many} messages so far."),
    };
    format!("See it, say what you see, and tap it to show where.{said}")
}

/// A style that gives the picture its place before a byte of it has come. In the head, since the page's policy allows
/// no `style` attribute.
pub fn picture_style(shown: &Shown) -> Option<String> {
    let Shown::Upload(page) = shown else {
        return None;
    };
    let ratio = image_ratio(&page.upload.content);
    Some(format!(".picture{{--ratio:{ratio}}}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_says_how_much_was_said() {
        assert!(description(0).ends_with("show where."));
        assert!(description(1).ends_with("One message so far."));
        assert!(description(12).ends_with("12 messages so far."));
    }
}
