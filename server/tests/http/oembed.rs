//! What other sites need to show an image instead of its link (oembed.com).

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::common::{TestNode, header, pictures, problem};

fn ask(node: &TestNode, parameters: &[(&str, &str)]) -> RequestBuilder {
    let parameters = serde_urlencoded::to_string(parameters).unwrap();
    node.get(&format!("/oembed?{parameters}"))
}

#[tokio::test]
async fn an_image_pages_link_is_described() {
    let node = TestNode::with(&[("PUBLIC_URL", "https://tonesa.example")]).await;
    let upload = node.uploaded().await;
    node.post_texts(&upload, &["A <cup>", "more"]).await;
    let page = format!("https://tonesa.example/u/{}", upload.short_id);
    let response = ask(&node, &[("url", &page), ("format", "json")]);
    let response = response.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let content_type = header(response.headers(), "content-type");
    assert_eq!(content_type, "application/json");
    let expected = json!({
        "version": "1.0", "type": "photo", "title": "A <cup>",
        "url": format!("https://tonesa.example/i/{}", upload.short_id),
        "width": 3, "height": 2,
        "provider_name": "Tonesa", "provider_url": "https://tonesa.example",
    });
    assert_eq!(response.json::<Value>().await.unwrap(), expected);
}

#[tokio::test]
async fn the_page_names_the_address_that_describes_it() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let page = node.url(&format!("/u/{}", upload.short_id));
    let html = node.client.get(&page).send().await.unwrap();
    let html = html.text().await.unwrap();
    let link = "<link rel=\"alternate\" type=\"application/json+oembed\" href=\"";
    let (_, address) = html.split_once(link).unwrap();
    let address = address.split_once('"').unwrap().0.replace("&amp;", "&");
    assert!(address.contains("?url=http%3A%2F%2F"), "{address}");
    let photo = node.client.get(address).send().await.unwrap();
    assert_eq!(photo.status(), StatusCode::OK);
    let photo: Value = photo.json().await.unwrap();
    let image = node.url(&upload.content.url);
    assert_eq!(photo["url"], image);
    // Without a message it is called by its date, in the language of whoever asks.
    let german = ask(&node, &[("url", &page)]).header("accept-language", "de");
    let german = german.send().await.unwrap();
    assert_eq!(header(german.headers(), "content-language"), "de");
    assert_eq!(header(german.headers(), "vary"), "accept-language");
    let german: Value = german.json().await.unwrap();
    assert_ne!(german["title"], photo["title"]);
    assert!(photo["title"].as_str().unwrap().starts_with("Picture of"));
    for path in ["/", "/u/AAAAAAAA"] {
        let html = node.get(path).send().await.unwrap().text().await.unwrap();
        assert!(!html.contains("oembed"), "{path}");
    }
}

#[tokio::test]
async fn a_smaller_picture_is_named_where_there_is_less_room() {
    let node = TestNode::start().await;
    let upload = node.upload(pictures::png(1000, 500)).await;
    let upload: app::model::Upload = upload.json().await.unwrap();
    let page = node.url(&format!("/u/{}", upload.short_id));
    let photo = ask(&node, &[("url", &page), ("maxwidth", "800")]);
    let photo: Value = photo.send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&photo["width"], &photo["height"]),
        (&json!(640), &json!(320))
    );
    let url = photo["url"].as_str().unwrap();
    assert_eq!(url, node.url(&format!("/i/{}?w=640", upload.short_id)));
    let photo = ask(&node, &[("url", &page), ("maxheight", "100")]);
    let photo: Value = photo.send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&photo["width"], &photo["height"]),
        (&json!(200), &json!(100))
    );
}

#[tokio::test]
async fn other_links_and_formats_are_refused() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let page = node.url(&format!("/u/{}", upload.short_id));
    for url in [
        node.url("/u/AAAAAAAA"),
        node.url("/"),
        format!("https://evil.example/u/{}", upload.short_id),
        "nonsense".to_owned(),
    ] {
        let response = ask(&node, &[("url", &url)]).send().await.unwrap();
        problem(response, 404, "not-found").await;
    }
    for format in ["xml", "html", ""] {
        let response = ask(&node, &[("url", &page), ("format", format)]);
        problem(response.send().await.unwrap(), 501, "not-implemented").await;
    }
    for (parameters, field) in [
        (&[][..], "url"),
        (&[("url", &*page), ("maxwidth", "0")], "maxwidth"),
        (&[("url", &page), ("maxheight", "-1")], "maxheight"),
    ] {
        let response = ask(&node, parameters).send().await.unwrap();
        let refusal = problem(response, 422, "bad-field").await;
        assert_eq!(refusal["field"], field);
    }
}

#[tokio::test]
async fn links_cannot_be_guessed() {
    let node = TestNode::with(&[("TONESA_MISSES_PER_MINUTE", "3")]).await;
    let page = node.url(&format!("/u/{}", node.uploaded().await.short_id));
    let missing = node.url("/u/AAAAAAAA");
    for _ in 0..3 {
        let response = ask(&node, &[("url", &missing)]).send().await.unwrap();
        problem(response, 404, "not-found").await;
    }
    for url in [&missing, &page] {
        let response = ask(&node, &[("url", url)]).send().await.unwrap();
        problem(response, 429, "too-many-requests").await;
    }
}
