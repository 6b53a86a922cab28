//! Protection against guessing links.

use std::net::IpAddr;

use app::event::{ClientCommand, RefusalCode, ServerEvent};
use app::model::{Upload, UploadRef};
use reqwest::StatusCode;
use serde_json::json;

use crate::common::socket_client::SocketClient;
use crate::common::{TestNode, header, problem};

const LIMIT: (&str, &str) = ("TONESA_MISSES_PER_MINUTE", "8");

async fn status(node: &TestNode, path: &str) -> StatusCode {
    node.get(path).send().await.unwrap().status()
}

/// All paths that contain a short id.
fn paths(short_id: impl std::fmt::Display) -> [String; 4] {
    [
        format!("/u/{short_id}"),
        format!("/i/{short_id}"),
        format!("/api/uploads/{short_id}"),
        format!("/api/uploads/{short_id}/messages"),
    ]
}

async fn ask(socket: &mut SocketClient, name: UploadRef) -> Option<RefusalCode> {
    let after = None;
    let upload_id = name;
    socket
        .send(&ClientCommand::Watch {
            upload_id,
            after,
            after_id: None,
            viewer: None,
        })
        .await;
    match socket.event().await {
        ServerEvent::Refused(refusal) => Some(refusal.code),
        ServerEvent::Watched { .. } => None,
        other => panic!("{other:?}"),
    }
}

/// Uses up the address's allowance of misses, in every way.
async fn miss(node: &TestNode) {
    let missing = paths("AAAAAAAA");
    for path in &missing {
        assert_eq!(status(node, path).await, StatusCode::NOT_FOUND, "{path}");
    }
    let body = json!({"content": "hi", "clientMessageID": "m"});
    let posted = node.post_message("AAAAAAAA", &body).await;
    assert_eq!(posted.status(), StatusCode::NOT_FOUND);
    let form = [("content", "hi")];
    let posted = node.post("/u/AAAAAAAA/messages").form(&form);
    assert_eq!(posted.send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let mut socket = SocketClient::connect(&node.base()).await;
    for name in ["AAAAAAAA", "BBBBBBBB", "0123456789abcdef01234567"] {
        let refused = ask(&mut socket, name.parse().unwrap()).await;
        assert_eq!(refused, Some(RefusalCode::NotFound));
    }
    // More than are given back before the test ends on a slow machine.
    let (address, name) = (IpAddr::from([127, 0, 0, 1]), "AAAAAAAA".parse().unwrap());
    for _ in 0..20 {
        node.node.rate_limits.misses.record(address, name);
    }
}

#[tokio::test]
async fn an_address_with_too_many_misses_cannot_learn_which_links_exist() {
    let node = TestNode::with(&[LIMIT]).await;
    let upload: Upload = node.uploaded().await;
    let mut watching = SocketClient::connect(&node.base()).await;
    watching.watch(UploadRef::Id(upload.id), None).await;
    miss(&node).await;
    for short_id in ["AAAAAAAA", upload.short_id.as_str()] {
        for path in paths(short_id) {
            let refused = node.get(&path).send().await.unwrap();
            let wait: u64 = header(refused.headers(), "retry-after").parse().unwrap();
            assert!((1..=8 * 21).contains(&wait), "{wait}");
            problem(refused, 429, "too-many-requests").await;
        }
        let mut socket = SocketClient::connect(&node.base()).await;
        let refused = ask(&mut socket, short_id.parse().unwrap()).await;
        assert_eq!(refused, Some(RefusalCode::Unavailable), "{short_id}");
    }
    // Open pages still work, since they know the long id.
    let path = format!("/api/uploads/{}/messages", upload.id);
    assert_eq!(status(&node, &path).await, StatusCode::OK);
    node.post_texts(&upload, &["still here"]).await;
    assert_eq!(watching.posted().await.content.as_str(), "still here");
    assert_eq!(
        ask(&mut watching, UploadRef::Short(upload.short_id)).await,
        None
    );
    assert_eq!(status(&node, "/").await, StatusCode::OK);
    assert_eq!(node.uploaded().await.kind, upload.kind);
}

#[tokio::test]
async fn only_misses_are_counted_by_address() {
    let node = TestNode::with(&[LIMIT, ("TONESA_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let upload = node.uploaded().await;
    let get = async |path: &str, client: &str| {
        let request = node.get(path).header("x-forwarded-for", client);
        request.send().await.unwrap().status().as_u16()
    };
    for _ in 0..30 {
        assert_eq!(get(&upload.content.url, "203.0.113.1").await, 200);
    }
    for _ in 0..8 {
        assert_eq!(get("/i/AAAAAAAA", "203.0.113.1").await, 404);
    }
    assert_eq!(get(&upload.content.url, "203.0.113.1").await, 429);
    assert_eq!(get(&upload.content.url, "203.0.113.2").await, 200);
    // An invalid id is not a guess.
    for _ in 0..10 {
        assert_eq!(get("/u/short", "203.0.113.2").await, 404);
    }
    assert_eq!(get(&upload.content.url, "203.0.113.2").await, 200);
}

#[tokio::test]
async fn what_an_upload_lacks_is_not_a_guess() {
    let node = TestNode::with(&[LIMIT]).await;
    let upload = node.uploaded().await;
    for seq in ["7", "0", "none"] {
        for _ in 0..8 {
            let path = format!("/api/uploads/{}/messages/{seq}", upload.short_id);
            let deleted = node.delete(&path).send().await.unwrap();
            problem(deleted, 404, "not-found").await;
        }
    }
    let page = format!("/u/{}", upload.short_id);
    assert_eq!(status(&node, &page).await, StatusCode::OK);
    // Of an upload that does not exist it is one.
    for _ in 0..9 {
        let deleted = node.delete("/api/uploads/AAAAAAAA/messages/7");
        deleted.send().await.unwrap();
    }
    assert_eq!(status(&node, &page).await, StatusCode::TOO_MANY_REQUESTS);
}
