//! Clients with a whole IPv6 network: a host usually has 2⁶⁴ addresses, which are one to all limits. That of
//! connections is tested where they are accepted.

use reqwest::RequestBuilder;
use serde_json::json;

use crate::common::socket_client::SocketClient;
use crate::common::{TestNode, file_form, pictures};

const PROXIES: (&str, &str) = ("TONESA_TRUSTED_PROXIES", "127.0.0.1");
/// Two addresses of one network, and one of the next.
const HERE: [&str; 2] = ["2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff"];
const THERE: &str = "2001:db8:0:2::1";

/// Checks that two requests of one network are allowed, and a third one of whichever of its addresses is not.
async fn assert_counted_together(request: impl Fn() -> RequestBuilder, allowed: u16) {
    let status = async |client: &str| {
        let request = request().header("x-forwarded-for", client);
        request.send().await.unwrap().status().as_u16()
    };
    for client in HERE {
        assert_eq!(status(client).await, allowed, "{client}");
    }
    for client in HERE {
        assert_eq!(status(client).await, 429, "{client}");
    }
    assert_eq!(status(THERE).await, allowed);
}

#[tokio::test]
async fn uploads_of_a_network_are_counted_together() {
    let node = TestNode::with(&[PROXIES, ("TONESA_UPLOADS_PER_MINUTE", "2")]).await;
    let form = || file_form(pictures::png(3, 2));
    let upload = || node.post("/api/uploads").multipart(form());
    assert_counted_together(upload, 201).await;
}

#[tokio::test]
async fn messages_of_a_network_are_counted_together() {
    let node = TestNode::with(&[PROXIES, ("TONESA_MESSAGES_PER_MINUTE", "2")]).await;
    let upload = node.uploaded().await;
    let path = format!("/api/uploads/{}/messages", upload.id);
    let message = json!({"content": "hi", "clientMessageID": "m"});
    // The same message again, and so 200 instead of 201.
    node.post_message(&upload.id.to_string(), &message).await;
    assert_counted_together(|| node.post(&path).json(&message), 200).await;
}

#[tokio::test]
async fn guesses_of_a_network_are_counted_together() {
    let node = TestNode::with(&[PROXIES, ("TONESA_MISSES_PER_MINUTE", "2")]).await;
    assert_counted_together(|| node.get("/i/AAAAAAAA"), 404).await;
}

#[tokio::test]
async fn sockets_of_a_network_are_counted_together() {
    let node = TestNode::with(&[PROXIES, ("TONESA_MAX_SOCKETS_PER_ADDRESS", "2")]).await;
    let base = node.base();
    let connect = |client| {
        let base = base.clone();
        async move { SocketClient::try_connect(&base, &[("x-forwarded-for", client)]).await }
    };
    let first = connect(HERE[0]).await.unwrap();
    let _second = connect(HERE[1]).await.unwrap();
    for client in HERE {
        assert!(connect(client).await.is_err(), "{client}");
    }
    let _other = connect(THERE).await.unwrap();
    drop(first);
    node.wait_until("a socket is free", async || connect(HERE[1]).await.is_ok())
        .await;
}
