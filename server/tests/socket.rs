//! The socket's half of the protocol: what is asked, what is told, what is refused.

mod common;

use app::event::{ClientCommand, CommandName, MAX_WATCHED_UPLOADS, RefusalCode, ServerEvent};
use app::model::{Seq, UploadRef};
use bytes::Bytes;
use common::TestNode;
use common::faults::{Mood, Switches};
use common::socket_client::SocketClient;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message as WsMessage};

#[tokio::test]
async fn a_watcher_is_told_the_head_and_what_it_lacks() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let posted = node.say_many(upload.id, 5).await;
    let mut socket = SocketClient::connect(&node.base()).await;

    let all = socket.watch(UploadRef::Id(upload.id), None).await;
    assert_eq!(all, (Seq::new(5), posted.clone()));
    let rest = socket
        .watch(UploadRef::Short(upload.short_id), Some(Seq::new(3)))
        .await;
    assert_eq!(rest, (Seq::new(5), posted[3..].to_vec()));
    let nothing = socket
        .watch(UploadRef::Id(upload.id), Some(Seq::new(5)))
        .await;
    assert_eq!(nothing, (Seq::new(5), vec![]));
}

#[tokio::test]
async fn a_watcher_far_behind_is_told_to_page_by_getting_only_the_head() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    node.say_many(upload.id, 65).await;
    let mut socket = SocketClient::connect(&node.base()).await;
    assert_eq!(
        socket.watch(UploadRef::Id(upload.id), None).await,
        (Seq::new(65), vec![])
    );
    let (_, messages) = socket
        .watch(UploadRef::Id(upload.id), Some(Seq::new(1)))
        .await;
    assert_eq!(messages.len(), 64);
}

#[tokio::test]
async fn a_message_reaches_every_watcher_in_the_same_bytes_and_nobody_else() {
    let node = TestNode::start().await;
    let (upload, other) = (node.uploaded().await, node.uploaded().await);
    let mut first = SocketClient::connect(&node.base()).await;
    let mut second = SocketClient::connect(&node.base()).await;
    let mut elsewhere = SocketClient::connect(&node.base()).await;
    first.watch(UploadRef::Id(upload.id), None).await;
    second.watch(UploadRef::Short(upload.short_id), None).await;
    elsewhere.watch(UploadRef::Id(other.id), None).await;

    let message = node.say_one(upload.id, "look here").await;
    let told = first.text().await;
    assert_eq!(told, second.text().await);
    let event: ServerEvent = serde_json::from_str(&told).unwrap();
    assert_eq!(
        event,
        ServerEvent::MessagePosted {
            upload_id: upload.id,
            message
        }
    );

    let message = node.say_one(other.id, "and there").await;
    assert_eq!(
        elsewhere.posted().await,
        message,
        "the first thing told elsewhere is its own message"
    );
}

#[tokio::test]
async fn after_unwatch_nothing_more_is_told() {
    let node = TestNode::start().await;
    let (left, kept) = (node.uploaded().await, node.uploaded().await);
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(left.id), None).await;
    socket.watch(UploadRef::Id(kept.id), None).await;
    socket
        .send(&ClientCommand::Unwatch {
            upload_id: UploadRef::Short(left.short_id),
        })
        .await;
    // The answer to this shows that the command before it is done.
    socket.watch(UploadRef::Id(kept.id), None).await;
    node.say_one(left.id, "unheard").await;
    let heard = node.say_one(kept.id, "heard").await;
    assert_eq!(socket.posted().await, heard);

    socket
        .send(&ClientCommand::Unwatch {
            upload_id: UploadRef::Id(left.id),
        })
        .await;
    assert_eq!(socket.refusal().await.code, RefusalCode::NotWatched);
}

#[tokio::test]
async fn a_touch_reaches_every_watcher_the_toucher_too() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let mut toucher = SocketClient::connect(&node.base()).await;
    let mut watcher = SocketClient::connect(&node.base()).await;
    toucher.watch(UploadRef::Id(upload.id), None).await;
    watcher.watch(UploadRef::Id(upload.id), None).await;
    toucher
        .touch(UploadRef::Short(upload.short_id), 0.25, 1.0, "tab-1")
        .await;
    for socket in [&mut toucher, &mut watcher] {
        let ServerEvent::Touched { upload_id, points } = socket.event().await else {
            panic!("expected a touch")
        };
        assert_eq!((upload_id, points.len()), (upload.id, 1));
        assert_eq!(
            (points[0].at.x(), points[0].at.y(), points[0].tab.as_str()),
            (0.25, 1.0, "tab-1")
        );
    }
}

#[tokio::test]
async fn a_command_with_an_impossible_value_is_refused_and_the_socket_stays_open() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    let id = upload.id;
    let cases = [
        (
            format!(r#"{{"type":"touch","data":{{"uploadID":"{id}","x":1.01,"y":0,"tab":"t"}}}}"#),
            CommandName::Touch,
            RefusalCode::InvalidField,
        ),
        (
            format!(r#"{{"type":"touch","data":{{"uploadID":"{id}","x":0,"y":-0.5,"tab":"t"}}}}"#),
            CommandName::Touch,
            RefusalCode::InvalidField,
        ),
        (
            format!(r#"{{"type":"touch","data":{{"uploadID":"{id}","x":0,"y":0,"tab":"<b>"}}}}"#),
            CommandName::Touch,
            RefusalCode::InvalidField,
        ),
        (
            r#"{"type":"touch","data":{"uploadID":"zzzzzzzz","x":0,"y":0,"tab":"t"}}"#.into(),
            CommandName::Touch,
            RefusalCode::NotWatched,
        ),
        (
            r#"{"type":"watch","data":{"uploadID":"no such id","after":null}}"#.into(),
            CommandName::Watch,
            RefusalCode::NotFound,
        ),
        (
            r#"{"type":"watch","data":{"uploadID":"zzzzzzzz","after":0}}"#.into(),
            CommandName::Watch,
            RefusalCode::NotFound,
        ),
        (
            r#"{"type":"watch","data":{"uploadID":"000000000000000000000000"}}"#.into(),
            CommandName::Watch,
            RefusalCode::NotFound,
        ),
        (
            r#"{"type":"unwatch","data":{"uploadID":""}}"#.into(),
            CommandName::Unwatch,
            RefusalCode::NotFound,
        ),
    ];
    for (frame, command, code) in cases {
        socket.send_text(&frame).await;
        let refusal = socket.refusal().await;
        assert_eq!((refusal.command, refusal.code), (command, code), "{frame}");
        assert!(!refusal.detail.is_empty());
    }
    let message = node.say_one(id, "still here").await;
    assert_eq!(socket.posted().await, message);
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    let id = upload.id;
    socket
        .send_text(&format!(
            r#"{{"v":2,"type":"watch","data":{{"uploadID":"{id}","after":null,"more":[1]}}}}"#
        ))
        .await;
    assert!(
        matches!(socket.event().await, ServerEvent::Watched { upload_id, .. } if upload_id == id)
    );
}

#[tokio::test]
async fn a_frame_that_is_no_command_closes_the_socket_with_1008() {
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
        })
        .await;
    assert_eq!(socket.refusal().await.code, RefusalCode::TooManyWatched);
    // Watching one of them again takes no further place, and leaving one makes room.
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
    // Touches are written behind the answer that waits with them; the second answer shows that they are all there.
    for _ in 0..2 {
        let ask = ClientCommand::Watch {
            upload_id: name,
            after: None,
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
async fn a_clients_close_is_answered_with_its_own_code() {
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
async fn asking_for_the_head_in_vain_ends_no_watch() {
    let switches = Switches::default();
    let node = TestNode::with_backends(&[], |backends| switches.wrap(backends)).await;
    let upload = node.uploaded().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    let upload_id = UploadRef::Id(upload.id);
    socket.watch(upload_id, None).await;
    switches.store.set(Mood::Away);
    let again = ClientCommand::Watch {
        upload_id,
        after: None,
    };
    socket.send(&again).await;
    assert_eq!(socket.refusal().await.code, RefusalCode::Unavailable);
    switches.store.set(Mood::Well);
    let message = node.say_one(upload.id, "still heard").await;
    assert_eq!(socket.posted().await, message);
}

#[tokio::test]
async fn an_upgrade_from_a_foreign_page_or_without_the_subprotocol_is_refused() {
    let node = TestNode::start().await;
    let own = node.base();
    SocketClient::try_connect(&node.base(), &[("origin", &own)])
        .await
        .expect("the own page may");
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
async fn a_node_without_a_free_place_says_so() {
    let node = TestNode::with(&[("TONESA_MAX_SOCKETS", "2")]).await;
    let first = SocketClient::connect(&node.base()).await;
    let _second = SocketClient::connect(&node.base()).await;
    assert_eq!(refused_with(&node, &[]).await, 503);
    drop(first);
    node.until("a place is free again", async || {
        SocketClient::try_connect(&node.base(), &[]).await.is_ok()
    })
    .await;

    let node = TestNode::with(&[("TONESA_MAX_SOCKETS_PER_ADDRESS", "1")]).await;
    let _only = SocketClient::connect(&node.base()).await;
    assert_eq!(refused_with(&node, &[]).await, 429);
}

async fn refused_with(node: &TestNode, headers: &[(&'static str, &str)]) -> u16 {
    match SocketClient::try_connect(&node.base(), headers).await {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the upgrade was taken"),
    }
}
