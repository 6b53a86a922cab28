//! Metadata in the document's head, for search engines and link previews.

use leptos::prelude::*;
use leptos::tachys::html::attribute::custom::custom_attribute;

use crate::browser::clock::Zone;
use crate::components::{image_alt, image_title};
use crate::model::{
    Content, LogEntry, LogPage, MediaType, MessageText, Seq, Timestamp, UploadPage, fitted_size,
};
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
    Image {
        /// What its page shows.
        page: &'a UploadPage,
        /// The `data:` URL of a tiny picture that stands blurred in its place until it has loaded.
        placeholder: Option<&'a str>,
    },
    /// Nothing can be shown at this address.
    Nothing,
}

impl Subject<'_> {
    /// Whether the page shows an image that is wider than the smallest picture of it.
    pub(crate) fn is_large_picture(self) -> bool {
        match self {
            Self::Image { page, .. } => page.upload.content.width > Content::SMALLER_WIDTHS[0],
            Self::Home | Self::Nothing => false,
        }
    }
}

/// Renders the metadata of a page.
pub fn tags(settings: &Settings, subject: Subject<'_>) -> impl IntoView + use<> {
    let origin = &settings.origin;
    let mut oembed = None;
    let (url, tags) = match subject {
        Subject::Home => (Some(format!("{origin}/")), home(origin)),
        Subject::Image { page, .. } => {
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
    let description = description(message_count(&page.page));
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

/// How many messages the log has that ends with this page. Of the entries before the page it is known that they are not
/// deleted only as far as the page says so.
fn message_count(page: &LogPage) -> usize {
    let first = page.entries.first().map_or(Seq::ZERO, LogEntry::seq);
    let before = usize::try_from(first.previous().get()).unwrap_or(usize::MAX);
    let deleted = page
        .entries
        .iter()
        .filter(|entry| matches!(entry, LogEntry::Deletion(deletion) if deletion.deletes < first));
    before
        .saturating_sub(deleted.count())
        .saturating_add(page.messages().count())
}

fn description(messages: usize) -> String {
    let texts = server_texts();
    if messages == 0 {
        return texts.see_it.to_owned();
    }
    let (one, other) = (texts.messages_so_far_one, texts.messages_so_far_other);
    [texts.see_it, " ", &counted(messages, one, other)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Deletion, Message, MessageId, UploadId};

    #[test]
    fn the_description_counts_the_messages() {
        assert!(description(0).ends_with("show where."));
        assert!(description(1).ends_with("One message so far."));
        assert!(description(12).ends_with("12 messages so far."));
    }

    /// A page from this number on, of messages and deletions of these numbers.
    fn page(first: u64, deletes: &[Option<u64>]) -> LogPage {
        let entries = (first..).zip(deletes).map(|(seq, deletes)| {
            let (id, upload_id) = (
                MessageId::from_bytes([7; 12]),
                UploadId::from_bytes([7; 12]),
            );
            let (seq, created_at) = (Seq::new(seq), "2026-11-25T12:00:00Z".parse().unwrap());
            match deletes {
                Some(deletes) => LogEntry::Deletion(Deletion {
                    id,
                    upload_id,
                    seq,
                    deletes: Seq::new(*deletes),
                    created_at,
                }),
                None => LogEntry::Message(Message {
                    id,
                    upload_id,
                    seq,
                    author_name: "Ada".parse().unwrap(),
                    content: "text".parse().unwrap(),
                    client_message_id: "m".parse().unwrap(),
                    created_at,
                    author: None,
                    at: None,
                    pin: None,
                }),
            }
        });
        LogPage {
            entries: entries.collect(),
            head: Seq::new(first + deletes.len() as u64 - 1),
        }
    }

    #[test]
    fn neither_deletions_nor_what_they_deleted_are_counted() {
        let mut whole = page(1, &[None, None, None, Some(2)]);
        let LogEntry::Message(message) = whole.entries[1].clone() else {
            panic!("{whole:?}");
        };
        let deleted = message.deleted(message.created_at);
        whole.entries[1] = LogEntry::DeletedMessage(deleted);
        assert_eq!(message_count(&whole), 2);
        let newest = page(101, &[None, Some(7), None]);
        assert_eq!(message_count(&newest), 101);
        assert_eq!(message_count(&LogPage::default()), 0);
    }
}
