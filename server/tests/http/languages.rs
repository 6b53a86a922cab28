//! The language of pages and of the reasons for refusals.

use std::collections::HashSet;

use crate::common::{TestNode, header, problem};
use app::texts::Language;
use reqwest::{Response, StatusCode};

async fn get(node: &TestNode, path: &str, languages: &str) -> Response {
    let request = node.get(path).header("accept-language", languages);
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_page_has_the_language_that_the_reader_prefers() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    for path in [
        "/",
        &format!("/u/{}", upload.short_id),
        "/u/AAAAAAAA",
        "/nowhere",
    ] {
        for (languages, language) in [
            ("de-AT,de;q=0.9,en;q=0.8", Language::De),
            ("fr, es;q=0.5", Language::Es),
            ("en-GB", Language::En),
            ("fr", Language::En),
        ] {
            let response = get(&node, path, languages).await;
            let headers = response.headers();
            assert_eq!(header(headers, "content-language"), language.tag());
            assert_eq!(header(headers, "vary"), "accept-encoding, accept-language");
            let page = response.text().await.unwrap();
            let html = format!("<html lang=\"{}\">", language.tag());
            assert!(page.contains(&html), "{page}");
            for other in Language::ALL {
                let link = format!(">{}</a>", other.texts().skip_to_content);
                assert_eq!(page.contains(&link), other == language, "{page}");
            }
        }
    }
}

#[tokio::test]
async fn a_page_is_cached_once_for_each_language() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let path = format!("/u/{}", upload.short_id);
    let mut etags = HashSet::new();
    for languages in [
        "de",
        "de-AT,de;q=0.9",
        "fr,de;q=0.1",
        "en",
        "fr",
        "es-419",
        "es,en",
    ] {
        let response = get(&node, &path, languages).await;
        let etag = header(response.headers(), "etag").to_owned();
        let again = node.get(&path).header("accept-language", languages);
        let again = again.header("if-none-match", &etag).send().await.unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(
            header(again.headers(), "vary"),
            "accept-encoding, accept-language"
        );
        etags.insert(etag);
    }
    assert_eq!(etags.len(), Language::ALL.len());
}

#[tokio::test]
async fn a_refusal_is_explained_in_the_reader_s_language() {
    let node = TestNode::start().await;
    let path = "/api/uploads/AAAAAAAA";
    for language in Language::ALL {
        let response = get(&node, path, language.tag()).await;
        assert_eq!(
            header(response.headers(), "content-language"),
            language.tag()
        );
        assert_eq!(header(response.headers(), "vary"), "accept-language");
        let problem = problem(response, 404, "not-found").await;
        assert_eq!(problem["title"], language.server_texts().not_found);
        assert_eq!(problem["detail"], language.server_texts().not_found_detail);
    }
    let without = node.get(path).send().await.unwrap();
    let english = get(&node, path, "en").await;
    assert_eq!(
        without.bytes().await.unwrap(),
        english.bytes().await.unwrap()
    );
}

#[tokio::test]
async fn a_refused_form_is_shown_in_the_reader_s_language() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let path = format!("/u/{}/messages", upload.short_id);
    for language in Language::ALL {
        let form = node.post(&path).form(&[("content", " ")]);
        let form = form.header("accept", "text/html");
        let form = form.header("accept-language", language.tag());
        let response = form.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(
            header(response.headers(), "content-language"),
            language.tag()
        );
        let page = response.text().await.unwrap();
        let (texts, server) = (language.texts(), language.server_texts());
        for text in [
            texts.text_empty,
            texts.send,
            server.bad_field,
            server.back_to_image,
        ] {
            assert!(page.contains(text), "{text} is missing in {page}");
        }
        assert!(page.contains(&format!("lang=\"{}\"", language.tag())));
    }
}

#[tokio::test]
async fn a_detail_in_another_language_than_its_title_is_not_labelled_with_that() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let path = format!("/u/{}/messages", upload.short_id);
    for language in Language::ALL {
        let is_english = language == Language::En;
        let tag = is_english.then_some(language.tag());
        let content_language = |response: &Response| {
            let value = response.headers().get("content-language");
            value.map(|value| value.to_str().unwrap().to_owned())
        };

        let read = format!("/api/uploads/{}/messages?limit=0", upload.short_id);
        let response = get(&node, &read, language.tag()).await;
        assert_eq!(content_language(&response).as_deref(), tag);
        let problem = problem(response, 422, "bad-field").await;
        assert_eq!(problem["title"], language.server_texts().bad_field);

        let form = [("content", "hello"), ("clientMessageID", "?")];
        let form = node.post(&path).form(&form).header("accept", "text/html");
        let form = form.header("accept-language", language.tag());
        let response = form.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(content_language(&response).as_deref(), tag);
        let page = response.text().await.unwrap();
        assert!(page.contains(&format!("<html lang=\"{}\"", language.tag())));
        let paragraph = if is_english { "<p>" } else { "<p lang=\"en\">" };
        let detail = "a clientMessageID has 1 to 64";
        assert!(page.contains(&format!("{paragraph}{detail}")), "{page}");
    }
}
