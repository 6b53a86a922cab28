//! Who watches an upload.

use std::time::{Duration, Instant};

use app::event::{ClientCommand, ServerEvent};
use app::model::{Person, UploadId, UploadRef, Viewer};
use server::broker::{DeliveryClass, Frame};
use server::http::metrics_endpoint::encode_metrics;

use crate::common::TestNode;
use crate::common::faults::Switches;
use crate::common::socket_client::SocketClient;

/// Somebody whose tag is in the order of the name.
fn person(name: &str) -> Person {
    let letters = name.to_lowercase().replace(' ', "");
    // Digits of base 32 are 2 to 7.
    let letters = letters.chars().map(|it| match it {
        '0'..='7' => char::from(b'a' + (it as u8 - b'0')),
        '8' | '9' => char::from(b'i' + (it as u8 - b'8')),
        _ => it,
    });
    let tag: String = letters.chain(std::iter::repeat('a')).take(10).collect();
    Person {
        author: Some(tag.parse().unwrap()),
        name: name.parse().unwrap(),
    }
}

fn viewer(name: &str) -> Viewer {
    let Person { author, name } = person(name);
    Viewer {
        author,
        name: Some(name),
    }
}

async fn watching(node: &TestNode, upload: UploadId, name: &str) -> SocketClient {
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch_as(UploadRef::Id(upload), viewer(name)).await;
    socket
}

#[tokio::test]
async fn who_watches_is_told_soon_to_all_who_do() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await.id;
    let mut ada = watching(&node, upload, "Ada").await;
    let start = Instant::now();
    assert_eq!(ada.presence().await, (1, vec![person("Ada")]));
    let mut grace = watching(&node, upload, "Grace").await;
    ada.told(2, &["Ada", "Grace"]).await;
    grace.told(2, &["Ada", "Grace"]).await;
    // A second tab of the same person, and a viewer who says nothing.
    let mut tab = watching(&node, upload, "Ada").await;
    let mut unnamed = SocketClient::connect(&node.base()).await;
    unnamed.watch(UploadRef::Id(upload), None).await;
    for socket in [&mut ada, &mut grace, &mut tab, &mut unnamed] {
        socket.told(4, &["Ada", "Grace"]).await;
    }
    drop((tab, unnamed));
    ada.told(2, &["Ada", "Grace"]).await;
    grace
        .send(&ClientCommand::Unwatch {
            upload_id: UploadRef::Id(upload),
        })
        .await;
    ada.told(1, &["Ada"]).await;
    // Five changes, each told within 2 s.
    assert!(start.elapsed() < Duration::from_secs(12));
}

#[tokio::test]
async fn who_watches_again_counts_once_and_may_have_another_name() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await.id;
    let mut other = watching(&node, upload, "Grace").await;
    let mut socket = watching(&node, upload, "Ada").await;
    other.told(2, &["Ada", "Grace"]).await;
    socket.told(2, &["Ada", "Grace"]).await;
    // Without a viewer nothing changes, but it is told all the same.
    socket.watch(UploadRef::Id(upload), None).await;
    let both = (2, vec![person("Ada"), person("Grace")]);
    assert_eq!(socket.presence().await, both);
    socket.watch_as(UploadRef::Id(upload), viewer("Eve")).await;
    let renamed = (2, vec![person("Eve"), person("Grace")]);
    assert_eq!(socket.presence().await, renamed);
    assert_eq!(other.presence().await, renamed, "the other was told once");
    socket
        .watch_as(UploadRef::Id(upload), Viewer::default())
        .await;
    assert_eq!(other.presence().await, (2, vec![person("Grace")]));
}

#[tokio::test]
async fn at_most_24_people_are_listed() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await.id;
    let names: Vec<_> = (0..30).map(|n| format!("name {n:02}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let mut sockets = Vec::new();
    for name in &names {
        sockets.push(watching(&node, upload, name).await);
    }
    sockets[0].told(30, &names[..24]).await;
}

#[tokio::test]
async fn viewers_who_come_and_go_are_one_event_in_two_seconds() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await.id;
    let mut socket = watching(&node, upload, "Ada").await;
    let churn = async {
        let mut others = Vec::new();
        // More come than go, so that every event has another count.
        for n in 0.. {
            others.push(watching(&node, upload, &format!("Grace {n}")).await);
            if n % 3 == 0 {
                others.remove(0);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let events = async {
        let mut times = Vec::new();
        while times.len() < 4 {
            socket.presence().await;
            times.push(Instant::now());
        }
        times
    };
    let times = tokio::select! {
        times = events => times,
        () = churn => unreachable!("it does not end"),
    };
    for pair in times.windows(2) {
        let interval = pair[1] - pair[0];
        // A frame may be a little late, and the next one not.
        assert!(interval > Duration::from_millis(1_800), "{interval:?}");
    }
}

#[tokio::test]
async fn forged_frames_reach_no_socket_and_digests_are_counted() {
    let switches = Switches::default();
    let node = TestNode::with_backends(&[], |backends| switches.wrap(backends)).await;
    let upload = node.uploaded().await.id;
    let mut socket = watching(&node, upload, "Ada").await;
    assert_eq!(socket.presence().await.0, 1);
    let event = serde_json::to_string(&ServerEvent::Presence {
        upload_id: upload,
        count: 7,
        people: Vec::new(),
    });
    let event = event.unwrap();
    let digest = |count: u64, people: &str| {
        format!(r#"{{"node":7,"count":{count},"people":[{people}],"hello":true}}"#)
    };
    let many = vec![r#"{"name":"Eve"}"#; 25].join(",");
    let large = format!("{}{}", digest(2, ""), " ".repeat(64 * 1024));
    let wrong = [
        (DeliveryClass::Message, &*event),
        (DeliveryClass::Touch, &event),
        (DeliveryClass::Presence, &event),
        (DeliveryClass::Message, &digest(2, "")),
        (DeliveryClass::Presence, &digest(u64::MAX, "")),
        (DeliveryClass::Presence, &digest(2, &many)),
        (DeliveryClass::Presence, &large),
        (DeliveryClass::Presence, ""),
    ];
    let deliver = |class, text: &str| {
        let text = text.into();
        switches.receiver().deliver(upload, Frame { class, text });
    };
    for (class, text) in wrong {
        deliver(class, text);
    }
    let metrics = encode_metrics(&node.node.registry);
    let refused = format!("tonesa_broker_frames_refused_total {}\n", wrong.len());
    assert!(metrics.contains(&refused), "{metrics}");
    deliver(DeliveryClass::Presence, &digest(2, r#"{"name":"Eve"}"#));
    let eve = Person {
        author: None,
        name: "Eve".parse().unwrap(),
    };
    let people = vec![person("Ada"), eve];
    assert_eq!(socket.presence().await, (3, people));
    deliver(DeliveryClass::Presence, &digest(0, ""));
    assert_eq!(socket.presence().await, (1, vec![person("Ada")]));
}
