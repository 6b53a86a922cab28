//! Which pages may show this service's pages in a frame (`TONESA_FRAME_ANCESTORS`).

use reqwest::RequestBuilder;

use crate::common::{TestNode, header};

/// Returns the sources of the page's directive `frame-ancestors`.
async fn frame_ancestors(request: RequestBuilder) -> String {
    let response = request.header("accept", "text/html").send().await.unwrap();
    let policy = header(response.headers(), "content-security-policy").split("; ");
    let sources = policy.filter_map(|directive| directive.strip_prefix("frame-ancestors "));
    sources.collect()
}

#[tokio::test]
async fn image_pages_may_be_framed_by_the_pages_of_the_setting() {
    for (setting, expected) in [
        ("", "'none'"),
        ("*", "*"),
        ("https://blog.example", "https://blog.example"),
        (
            "https://blog.example,http://localhost:8000/",
            "https://blog.example http://localhost:8000",
        ),
    ] {
        let node = TestNode::with(&[("TONESA_FRAME_ANCESTORS", setting)]).await;
        let page = format!("/u/{}", node.uploaded().await.short_id);
        assert_eq!(frame_ancestors(node.get(&page)).await, expected);
        // The frame says that there is no such image.
        let missing = frame_ancestors(node.get("/u/AAAAAAAA")).await;
        assert_eq!(missing, expected);
    }
}

#[tokio::test]
async fn no_other_page_is_ever_framed() {
    let node = TestNode::with(&[("TONESA_FRAME_ANCESTORS", "*")]).await;
    for request in [
        node.get("/"),
        node.get("/nowhere"),
        node.get("/admin"),
        node.post("/api/uploads"),
    ] {
        assert_eq!(frame_ancestors(request).await, "'none'");
    }
}
