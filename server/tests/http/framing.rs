//! Which pages may show this service's pages in a frame (`TONESA_FRAME_ANCESTORS`).

use reqwest::{RequestBuilder, StatusCode};

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
    }
}

#[tokio::test]
async fn no_other_page_is_ever_framed() {
    let token = "an-admin-token-of-many-letters";
    let settings = [
        ("TONESA_FRAME_ANCESTORS", "*"),
        ("TONESA_ADMIN_TOKEN", token),
    ];
    let node = TestNode::with(&settings).await;
    let upload = node.uploaded().await.short_id;
    let delete = node.delete(&format!("/api/admin/uploads/{upload}"));
    let answer = delete.bearer_auth(token).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let deleted = format!("/u/{upload}");
    for request in [
        node.get("/"),
        node.get("/nowhere"),
        node.get("/u/AAAAAAAA"),
        node.get("/u/0123456789abcdef01234567"),
        node.get(&deleted),
        node.get("/admin/sign-in"),
        node.post("/api/uploads"),
    ] {
        assert_eq!(frame_ancestors(request).await, "'none'");
    }
}
