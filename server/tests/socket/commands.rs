//! Commands, events and refusals.

use app::event::{ClientCommand, CommandName, RefusalCode, ServerEvent};
use app::model::{Message, Seq, TabId, UploadRef};

use crate::common::TestNode;
use crate::common::faults::{Mode, Switches};
use crate::common::socket_client::SocketClient;

#[tokio::test]
async fn a_watch_is_answered_with_the_head_and_missing_messages() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let posted = node.post_numbered(upload.id, 5).await;
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
async fn a_client_that_has_what_the_store_has_resumes() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let name = UploadRef::Id(upload.id);
    let posted = node.post_numbered(upload.id, 70).await;
    let mut socket = SocketClient::connect(&node.base()).await;
    // The first one is answered by the store, others from memory, some are not in memory either.
    for last in [69, 2, 5, 6, 66, 70] {
        let (reset, head, messages) = socket.resume(name, &posted[last - 1]).await;
        assert!(!reset);
        let expected = &posted[last..];
        let expected = if expected.len() > 64 { &[] } else { expected };
        assert_eq!((head, &messages[..]), (Seq::new(70), expected));
    }
    socket
        .send_text(&format!(
            r#"{{"type":"watch","data":{{"uploadID":"{}","after":69,"afterID":"{}"}}}}"#,
            upload.id, posted[68].id
        ))
        .await;
    assert!(!socket.text().await.contains("reset"), "as before");
}

#[tokio::test]
async fn a_client_with_another_history_starts_anew_from_the_newest_messages() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let name = UploadRef::Id(upload.id);
    let posted = node.post_numbered(upload.id, 70).await;
    let other = |seq| Message {
        id: server::ids::message_id(),
        seq: Seq::new(seq),
        ..posted[0].clone()
    };
    let mut socket = SocketClient::connect(&node.base()).await;
    // With an empty and with a full memory; each a second time, as the next client in a reconnect.
    for _ in 0..2 {
        for last in [other(3), other(70), other(71), other(1_000), other(0)] {
            for _ in 0..2 {
                let (reset, head, messages) = socket.resume(name, &last).await;
                assert!(reset, "{}", last.seq);
                assert_eq!((head, &messages[..]), (Seq::new(70), &posted[6..]));
            }
            let (reset, _, messages) = socket.resume(name, &posted[68]).await;
            assert!(
                !reset && messages == posted[69..],
                "for this one it is right"
            );
        }
        socket.watch(name, None).await;
    }
    let head = node.post_text(upload.id, "one more").await;
    let (reset, _, messages) = loop {
        // The frame may arrive later.
        let answer = socket.resume(name, &other(70)).await;
        if answer.1 == head.seq {
            break answer;
        }
    };
    assert!(reset);
    assert_eq!(messages.last(), Some(&head));
    // Without an id nothing is checked.
    let (head, messages) = socket.watch(name, Some(Seq::new(1_000))).await;
    assert_eq!((head, messages), (Seq::new(71), vec![]));
}

#[tokio::test]
async fn a_crowd_that_resumes_costs_few_reads_whatever_it_has() {
    let switches = Switches::default();
    let node = TestNode::with_backends(&[], |backends| switches.wrap(backends)).await;
    let upload = node.uploaded().await;
    let name = UploadRef::Id(upload.id);
    let posted = node.post_numbered(upload.id, 100).await;
    let other = Message {
        id: server::ids::message_id(),
        ..posted[90].clone()
    };
    let mut kept = SocketClient::connect(&node.base()).await;
    kept.watch(name, None).await;
    for last in [&posted[99], &posted[95], &posted[10], &other] {
        let reads = switches.store.calls();
        for _ in 0..20 {
            let mut socket = SocketClient::connect(&node.base()).await;
            let (reset, ..) = socket.resume(name, last).await;
            assert_eq!(reset, last == &other);
        }
        let reads = switches.store.calls() - reads;
        assert!(reads <= 2, "{reads} reads for message {}", last.seq);
    }
    let reads = switches.store.calls();
    for _ in 0..20 {
        let invented = Message {
            id: server::ids::message_id(),
            ..posted[90].clone()
        };
        let (reset, ..) = kept.resume(name, &invented).await;
        assert!(reset);
    }
    let reads = switches.store.calls() - reads;
    assert!(reads <= 20, "{reads} reads: one to check each id");
}

#[tokio::test]
async fn a_watcher_far_behind_gets_only_the_head() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    node.post_numbered(upload.id, 65).await;
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
async fn a_message_reaches_every_watcher_in_the_same_bytes_and_no_other_socket() {
    let node = TestNode::start().await;
    let (upload, other) = (node.uploaded().await, node.uploaded().await);
    let mut first = SocketClient::connect(&node.base()).await;
    let mut second = SocketClient::connect(&node.base()).await;
    let mut elsewhere = SocketClient::connect(&node.base()).await;
    first.watch(UploadRef::Id(upload.id), None).await;
    second.watch(UploadRef::Short(upload.short_id), None).await;
    elsewhere.watch(UploadRef::Id(other.id), None).await;

    let message = node.post_text(upload.id, "look here").await;
    let frame = first.text().await;
    assert_eq!(frame, second.text().await);
    let event: ServerEvent = serde_json::from_str(&frame).unwrap();
    assert_eq!(
        event,
        ServerEvent::MessagePosted {
            upload_id: upload.id,
            message
        }
    );

    let message = node.post_text(other.id, "and there").await;
    assert_eq!(
        elsewhere.posted().await,
        message,
        "the first event elsewhere is its own message"
    );
}

#[tokio::test]
async fn no_event_arrives_after_unwatch() {
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
    // The answer to this shows that the previous command has been executed.
    socket.watch(UploadRef::Id(kept.id), None).await;
    node.post_text(left.id, "not delivered").await;
    let delivered = node.post_text(kept.id, "delivered").await;
    assert_eq!(socket.posted().await, delivered);

    socket
        .send(&ClientCommand::Unwatch {
            upload_id: UploadRef::Id(left.id),
        })
        .await;
    assert_eq!(socket.refusal().await.code, RefusalCode::NotWatched);
}

#[tokio::test]
async fn a_touch_reaches_every_watcher_including_its_sender() {
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
        let tag = "tab-1".parse::<TabId>().unwrap().tag(upload.id);
        assert_eq!(
            (points[0].at.x(), points[0].at.y(), points[0].tab),
            (0.25, 1.0, tag)
        );
    }
}

#[tokio::test]
async fn a_touch_says_who_points_and_to_which_line_it_belongs() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    let id = upload.id;
    let name = "\u{1f98a}".repeat(50);
    let fields = format!(r#""author":"ldkulx5sv2","name":"{name}","stroke":"s1""#);
    for fields in [&fields, r#""stroke":"s2","name":" ""#] {
        let touch = format!(
            r#"{{"type":"touch","data":{{"uploadID":"{id}","x":0.25,"y":1,"tab":"t",{fields}}}}}"#
        );
        socket.send_text(&touch).await;
    }
    let mut touched = async || match socket.event().await {
        ServerEvent::Touched { points, .. } => points[0].clone(),
        other => panic!("{other:?}"),
    };
    let point = touched().await;
    assert_eq!(point.author, Some("ldkulx5sv2".parse().unwrap()));
    assert_eq!(point.name, Some("\u{1f98a}".repeat(40).parse().unwrap()));
    assert_eq!(point.stroke, Some("s1".parse().unwrap()));
    let point = touched().await;
    assert_eq!((point.author, point.name), (None, None));
    assert_eq!(point.stroke, Some("s2".parse().unwrap()));
}

#[tokio::test]
async fn a_tab_cannot_be_impersonated_with_the_tag_of_its_touch() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let name = UploadRef::Id(upload.id);
    let mut owner = SocketClient::connect(&node.base()).await;
    let mut other = SocketClient::connect(&node.base()).await;
    owner.watch(name, None).await;
    other.watch(name, None).await;
    owner.touch(name, 0.5, 0.5, "secret-of-the-tab").await;
    let seen = other.text().await;
    assert!(!seen.contains("secret"), "{seen}");
    let ServerEvent::Touched { points, .. } = owner.event().await else {
        panic!("expected a touch")
    };
    let own = points[0].tab;
    other.touch(name, 0.1, 0.1, own.as_str()).await;
    let ServerEvent::Touched { points, .. } = owner.event().await else {
        panic!("expected a touch")
    };
    assert_ne!(points[0].tab, own, "its owner sees it as another's");
}

#[tokio::test]
async fn an_invalid_command_is_refused_and_the_socket_stays_open() {
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
    let message = node.post_text(id, "still here").await;
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
async fn a_failed_repeated_watch_keeps_the_watch() {
    let switches = Switches::default();
    let node = TestNode::with_backends(&[], |backends| switches.wrap(backends)).await;
    let upload = node.uploaded().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    let upload_id = UploadRef::Id(upload.id);
    socket.watch(upload_id, None).await;
    switches.store.set(Mode::Unavailable);
    // More than the node knows, so that it has to ask the store.
    socket.send_watch(upload_id, Some(Seq::new(7))).await;
    assert_eq!(socket.refusal().await.code, RefusalCode::Unavailable);
    switches.store.set(Mode::Working);
    let message = node.post_text(upload.id, "still delivered").await;
    assert_eq!(socket.posted().await, message);
}
