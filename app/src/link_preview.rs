//! Metadata in the document's head, for search engines and link previews.

use leptos::prelude::*;
use leptos::tachys::html::attribute::custom::custom_attribute;

use crate::browser::clock::Zone;
use crate::components::{image_alt, image_title};
use crate::model::{Content, MediaType, MessageText, Timestamp, UploadPage, fitted_size};
use crate::settings::Settings;
use crate::texts::{Language, counted, server_texts, texts};

/// One `<meta>`, of HTML or of Open Graph.
enum Tag {
    Name(&'static str, String),
    Property(&'static str, String),
}

/// What the page shows.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// The home page.
    Home,
    /// An upload.
    Image(&'a UploadPage),
    /// Nothing can be shown at this address.
    Nothing,
}

/// Renders the metadata of a page.
pub fn tags(settings: &Settings, subject: Subject<'_>) -> impl IntoView + use<> {
    let origin = &settings.origin;
    let mut oembed = None;
    let (url, tags) = match subject {
        Subject::Home => (Some(format!("{origin}/")), home(origin)),
        Subject::Image(page) => {
            let url = format!("{origin}/u/{}", page.upload.short_id);
            let mut tags = image(origin, &url, page);
            oembed = oembed_address(origin, &url);
            if !settings.is_indexed {
                tags.push(noindex());
            }
            (Some(url), tags)
        }
        Subject::Nothing => (None, vec![noindex()]),
    };
    view! {
        {url.map(|url| view! { <link rel="canonical" href=url/> })}
        {oembed.map(|url| {
            view! { <link rel="alternate" r#type="application/json+oembed" href=url/> }
        })}
        {tags.into_iter().map(meta).collect_view()}
    }
}

/// The address that describes the page for sites that show the image instead of the link (oembed.com).
fn oembed_address(origin: &str, page: &str) -> Option<String> {
    let query = serde_urlencoded::to_string([("url", page), ("format", "json")]);
    Some(format!("{origin}/oembed?{}", query.ok()?))
}

/// What a page with an image is called in this language: as the page's title is.
pub fn upload_title(
    first: Option<&MessageText>,
    uploaded: Timestamp,
    language: Language,
) -> String {
    Owner::new_root(None).with(|| {
        provide_context(language);
        image_title(first, uploaded, Zone::Utc)
    })
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

/// For pages that search engines should not list; previews of links do not heed it.
fn noindex() -> Tag {
    Tag::Name("robots", "noindex".to_owned())
}

fn home(origin: &str) -> Vec<Tag> {
    let pitch = || texts().pitch.to_owned();
    vec![
        Tag::Name("description", pitch()),
        Tag::Property("og:type", "website".to_owned()),
        Tag::Property("og:site_name", "Tonesa".to_owned()),
        Tag::Property("og:title", texts().home_heading.to_owned()),
        Tag::Property("og:description", pitch()),
        Tag::Property("og:url", format!("{origin}/")),
        Tag::Name("twitter:card", "summary".to_owned()),
    ]
}

fn image(origin: &str, url: &str, page: &UploadPage) -> Vec<Tag> {
    let image = &page.upload.content;
    let image_url = format!("{origin}{}/preview.jpg", image.url);
    let (width, height) = fitted_size((image.width, image.height), Content::PREVIEW_BOX);
    let title = image_title(page.first.as_ref(), page.upload.created_at, Zone::Utc);
    let description = description(page.page.head.get());
    let alt = image_alt(image);
    vec![
        Tag::Name("description", description.clone()),
        Tag::Property("og:type", "website".to_owned()),
        Tag::Property("og:site_name", "Tonesa".to_owned()),
        Tag::Property("og:title", title.clone()),
        Tag::Property("og:description", description.clone()),
        Tag::Property("og:url", url.to_owned()),
        Tag::Property("og:image", image_url.clone()),
        Tag::Property("og:image:type", MediaType::Jpeg.as_str().to_owned()),
        Tag::Property("og:image:width", width.to_string()),
        Tag::Property("og:image:height", height.to_string()),
        Tag::Property("og:image:alt", alt.clone()),
        Tag::Name("twitter:card", "summary_large_image".to_owned()),
        Tag::Name("twitter:title", title),
        Tag::Name("twitter:description", description),
        Tag::Name("twitter:image", image_url),
        Tag::Name("twitter:image:alt", alt),
    ]
}

fn description(messages: u64) -> String {
    let texts = server_texts();
    let messages = usize::try_from(messages).unwrap_or(usize::MAX);
    if messages == 0 {
        return texts.see_it.to_owned();
    }
    let (one, other) = (texts.messages_so_far_one, texts.messages_so_far_other);
    [texts.see_it, " ", &counted(messages, one, other)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_counts_the_messages() {
        assert!(description(0).ends_with("show where."));
        assert!(description(1).ends_with("One message so far."));
        assert!(description(12).ends_with("12 messages so far."));
    }
}
