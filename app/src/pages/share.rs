//! What a page says of itself to those who do not see it: search engines and the previews of links. In the first HTML
//! only, since nobody reads it later.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{Link, Meta, Style};

use crate::components::{image_alt, image_ratio};
use crate::model::UploadPage;
use crate::source::Site;

/// Describes the home page.
pub fn describe_home() {
    let origin = expect_context::<Site>().origin;
    let description = "Drop an image and share its link. Everyone sees it, talks about it, and sees where you tap.";
    into_head(view! {
        <Meta name="description" content=description/>
        <Link rel="canonical" href=format!("{origin}/")/>
        <Meta property="og:type" content="website"/>
        <Meta property="og:site_name" content="Tonesa"/>
        <Meta property="og:title" content="Point at a picture, together."/>
        <Meta property="og:description" content=description/>
        <Meta property="og:url" content=format!("{origin}/")/>
        <Meta name="twitter:card" content="summary"/>
    });
}

/// Describes an upload's page, and reserves the picture's place in it.
pub fn describe_upload(page: &UploadPage) {
    let origin = expect_context::<Site>().origin;
    let (upload, image) = (&page.upload, &page.upload.content);
    let url = format!("{origin}/u/{}", upload.short_id);
    let picture = format!("{origin}{}", image.url);
    let title = "A shared picture on Tonesa";
    let description = description(page.page.head.get());
    let alt = image_alt(image);
    keep_out_of_searches();
    into_head(view! {
        <Style nonce=style_nonce()>{format!(".picture{{--ratio:{}}}", image_ratio(image))}</Style>
        <Meta name="description" content=description.clone()/>
        <Link rel="canonical" href=url.clone()/>
        <Meta property="og:type" content="website"/>
        <Meta property="og:site_name" content="Tonesa"/>
        <Meta property="og:title" content=title/>
        <Meta property="og:description" content=description.clone()/>
        <Meta property="og:url" content=url/>
    });
    into_head(view! {
        <Meta property="og:image" content=picture.clone()/>
        <Meta property="og:image:type" content=image.media_type.as_str()/>
        <Meta property="og:image:width" content=image.width.to_string()/>
        <Meta property="og:image:height" content=image.height.to_string()/>
        <Meta property="og:image:alt" content=alt.clone()/>
        <Meta name="twitter:card" content="summary_large_image"/>
        <Meta name="twitter:title" content=title/>
        <Meta name="twitter:description" content=description/>
        <Meta name="twitter:image" content=picture/>
        <Meta name="twitter:image:alt" content=alt/>
    });
}

/// Links are for those who were given them.
pub fn keep_out_of_searches() {
    into_head(view! { <Meta name="robots" content="noindex"/> });
}

fn description(messages: u64) -> String {
    let said = match messages {
        0 => String::new(),
        1 => " One message so far.".to_owned(),
        many => format!(" {many} messages so far."),
    };
    format!("See it, say what you see, and tap it to show where.{said}")
}

fn style_nonce() -> String {
    use_nonce()
        .map(|nonce| nonce.to_string())
        .unwrap_or_default()
}

/// Rendering such elements puts them into the head and answers an empty text. They are no part of the view, because the
/// browser's view has none.
fn into_head(elements: impl IntoView) {
    elements.into_view().to_html();
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
