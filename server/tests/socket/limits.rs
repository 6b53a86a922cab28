//! Violations that close a socket, and refused upgrades.

use app::event::{ClientCommand, MAX_WATCHED_UPLOADS, RefusalCode, ServerEvent};
use app::model::UploadRef;
use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message as WsMessage};

use crate::common::TestNode;
use crate::common::socket_client::SocketClient;

#[tokio::test]
async fn a_malformed_frame_closes_the_socket_with_1008() {
    let node = TestNode::start().await;
    let frames = [
        "",
        "null",
        "[]",
        "{}",
        "hello",
        "{\"type\":\"shout\",\"data\":{}}",
        "{\"type\":\"watch\"}",
        "{\"type\":\"watch\",\"data\":{\"uploadID\":7}}",
        "{\"type\":\"touch\",\"data\":{\"uploadID\":\"zzzzzzzz\",\"x\":\"0\",\"y\":0,\"tab\":\"t\"}}",
        "{\"type\":\"watch\",\"data\":{\"uploadID\":\"zzzzzzzz\",\"after\":-1}}",
        "{\"type\":\"touch\",\"data\":{\"uploadID\":\"zzzzzzzz\",\"x\":1e999,\"y\":0,\"tab\":\"t\"}}",
    ];
    for frame in frames {
        let mut socket = SocketClient::connect(&node.base()).await;
        socket.send_text(frame).await;
        assert_eq!(socket.close_code().await, Some(1008), "{frame}");
    }
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.send_raw(WsMessage::binary(vec![1, 2, 3])).await;
    assert_eq!(socket.close_code().await, Some(1008));
}

#[tokio::test]
async fn a_frame_over_4_kib_closes_the_socket_with_1009() {
    let node = TestNode::start().await;
    for size in [4 * 1024 + 1, 1024 * 1024] {
        let mut socket = SocketClient::connect(&node.base()).await;
        socket.send_text(&" ".repeat(size)).await;
        assert_eq!(socket.close_code().await, Some(1009), "{size} bytes");
    }
}

#[tokio::test]
async fn a_socket_watches_at_most_32_uploads() {
    let node = TestNode::start().await;
    let mut uploads = Vec::new();
    for _ in 0..=MAX_WATCHED_UPLOADS {
        uploads.push(node.uploaded().await.id);
    }
    let mut socket = SocketClient::connect(&node.base()).await;
    let last = uploads.pop().unwrap();
    for upload in &uploads {
        socket.watch(UploadRef::Id(*upload), None).await;
    }
    socket
        .send(&ClientCommand::Watch {
            upload_id: UploadRef::Id(last),
            after: None,
            after_id: None,
            viewer: None,
        })
        .await;
    assert_eq!(socket.refusal().await.code, RefusalCode::TooManyWatched);
    // Watching one of them again does not count, and unwatching one makes room.
    socket.watch(UploadRef::Id(uploads[0]), None).await;
    socket
        .send(&ClientCommand::Unwatch {
            upload_id: UploadRef::Id(uploads[0]),
        })
        .await;
    socket.watch(UploadRef::Id(last), None).await;
}

#[tokio::test]
async fn touches_beyond_the_rate_are_dropped_and_refused_once() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    let name = UploadRef::Id(upload.id);
    socket.watch(name, None).await;
    for n in 0..100u32 {
        socket.touch(name, 0.5, f64::from(n) / 100.0, "t").await;
    }
    let (mut touched, mut refused) = (0, 0);
    // Queued touches are written after a queued answer; the second answer shows that all have arrived.
    for _ in 0..2 {
        let ask = ClientCommand::Watch {
            upload_id: name,
            after: None,
            after_id: None,
            viewer: None,
        };
        socket.send(&ask).await;
        loop {
            match socket.event().await {
                ServerEvent::Touched { points, .. } => touched += points.len(),
                ServerEvent::Refused(refusal) => {
                    assert_eq!(refusal.code, RefusalCode::TooManyTouches);
                    refused += 1;
                }
                ServerEvent::Watched { .. } => break,
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(touched >= 20, "{touched} of the burst that is allowed");
    assert!(touched <= 25, "{touched} of a burst of 100 went through");
    assert_eq!(refused, 1);
}

#[tokio::test]
async fn a_flood_of_commands_closes_the_socket_with_1008() {
    let node = TestNode::start().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    for _ in 0..400 {
        socket
            .send_text(r#"{"type":"unwatch","data":{"uploadID":"zzzzzzzz"}}"#)
            .await;
    }
    assert_eq!(socket.close_code().await, Some(1008));
}

#[tokio::test]
async fn a_flood_of_pings_closes_the_socket_with_1008() {
    let node = TestNode::start().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    for _ in 0..400 {
        socket.send_raw(WsMessage::Ping(Bytes::new())).await;
    }
    assert_eq!(socket.close_code().await, Some(1008));
}

#[tokio::test]
async fn a_clients_close_frame_is_answered_with_its_code() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    let (code, reason) = (CloseCode::Normal, "done".into());
    socket
        .send_raw(WsMessage::Close(Some(CloseFrame { code, reason })))
        .await;
    assert_eq!(socket.close_code().await, Some(1000));
}

#[tokio::test]
async fn an_upgrade_from_another_origin_or_without_the_subprotocol_is_refused() {
    let node = TestNode::start().await;
    let own = node.base();
    SocketClient::try_connect(&node.base(), &[("origin", &own)])
        .await
        .expect("the own origin is accepted");
    for foreign in ["https://elsewhere.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(
            refused_with(&node, &[("origin", foreign)]).await,
            403,
            "{foreign}"
        );
    }
    assert_eq!(
        refused_with(&node, &[("sec-websocket-protocol", "chat")]).await,
        400
    );
}

#[tokio::test]
async fn an_upgrade_without_a_free_slot_is_refused() {
    let node = TestNode::with(&[("TONESA_MAX_SOCKETS", "2"), PROXIES]).await;
    let first = connect_from(&node, "192.0.2.1").await.unwrap();
    let _second = connect_from(&node, "192.0.2.2").await.unwrap();
    let third = [("x-forwarded-for", "192.0.2.3")];
    assert_eq!(refused_with(&node, &third).await, 503);
    drop(first);
    node.wait_until("a slot is free again", async || {
        connect_from(&node, "192.0.2.3").await.is_ok()
    })
    .await;

    let node = TestNode::with(&[("TONESA_MAX_SOCKETS_PER_ADDRESS", "1")]).await;
    let _only = SocketClient::connect(&node.base()).await;
    assert_eq!(refused_with(&node, &[]).await, 429);
}

#[tokio::test]
async fn greedy_addresses_leave_sockets_for_others() {
    let node = TestNode::with(&[("TONESA_MAX_SOCKETS", "18"), PROXIES]).await;
    let mut sockets = Vec::new();
    for greedy in 1..=5 {
        let address = format!("192.0.2.{greedy}");
        let refusal = loop {
            match connect_from(&node, &address).await {
                Ok(socket) => sockets.push(socket),
                Err(Error::Http(response)) => break response.status().as_u16(),
                Err(other) => panic!("{other}"),
            }
        };
        assert_eq!(refusal, 429);
    }
    for newcomer in ["192.0.2.101", "192.0.2.102"] {
        sockets.push(connect_from(&node, newcomer).await.unwrap());
    }
}

const PROXIES: (&str, &str) = ("TONESA_TRUSTED_PROXIES", "127.0.0.1");

async fn connect_from(node: &TestNode, address: &str) -> Result<SocketClient, Error> {
    SocketClient::try_connect(&node.base(), &[("x-forwarded-for", address)]).await
}

async fn refused_with(node: &TestNode, headers: &[(&'static str, &str)]) -> u16 {
    match SocketClient::try_connect(&node.base(), headers).await {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the upgrade was accepted"),
    }
}
