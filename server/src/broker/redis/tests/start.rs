use std::io::Write;
use std::net::TcpListener;
use std::thread;

use testbed::Redis;

use super::kit::TestNode;
use crate::app::metrics::Metrics;
use crate::broker::Broker;
use crate::broker::conformance::some_topic;
use crate::broker::redis::{OpenError, Reason, RedisBroker};

/// Why a node does not start with this address: in a sentence that names the variable and holds no secret.
async fn refusal(url: &str) -> OpenError {
    let Err(error) = RedisBroker::open(url, Metrics::default().broker).await else {
        panic!("it starts");
    };
    let sentence = error.to_string();
    assert!(sentence.contains("REDIS_URL"), "{sentence}");
    for secret in ["alice", "secret"] {
        assert!(
            !format!("{error:?} {sentence}").contains(secret),
            "{sentence}"
        );
    }
    error
}

fn is_unusable(error: &OpenError, expected: Reason) {
    let OpenError::Unusable { reason, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(*reason, expected);
}

#[tokio::test]
async fn what_is_no_address_stops_the_start() {
    for wrong in [
        "alice:secret",
        "http://alice:secret@host",
        "redis://alice:secret@host:x",
    ] {
        assert!(matches!(refusal(wrong).await, OpenError::Url(_)));
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_stops_the_start() {
    let port = testbed::free_port().unwrap();
    let nobody = refusal(&format!("redis://alice:secret@127.0.0.1:{port}")).await;
    is_unusable(&nobody, Reason::ConnectionRefused);
    assert!(nobody.to_string().contains(&format!("127.0.0.1:{port}")));
    let cluster = format!("redis+cluster://alice:secret@127.0.0.1:{port}");
    is_unusable(&refusal(&cluster).await, Reason::ConnectionRefused);
    let sentinel = format!("redis+sentinel://alice:secret@127.0.0.1:{port}/main");
    is_unusable(&refusal(&sentinel).await, Reason::ConnectionRefused);
    let unknown = refusal("redis://alice:secret@nowhere.invalid").await;
    is_unusable(&unknown, Reason::UnknownHost);
}

#[tokio::test]
async fn a_server_that_does_not_answer_stops_the_start() {
    let redis = Redis::start().unwrap();
    redis.freeze().unwrap();
    is_unusable(&refusal(&redis.url()).await, Reason::Timeout);
}

#[tokio::test]
async fn a_server_that_is_no_redis_stops_the_start() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream
                .unwrap()
                .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let error = refusal(&format!("redis://alice:secret@{address}")).await;
    is_unusable(&error, Reason::Protocol);
}

#[tokio::test]
async fn a_server_without_tls_or_cluster_is_not_taken_for_one_with_it() {
    let port = testbed::shared::redis().port();
    let cluster = format!("redis+cluster://127.0.0.1:{port}");
    is_unusable(&refusal(&cluster).await, Reason::NoCluster);
    // It waits for the end of a command in what it was sent.
    let tls = format!("rediss://127.0.0.1:{port}");
    is_unusable(&refusal(&tls).await, Reason::Timeout);
}

#[tokio::test]
async fn a_login_that_is_refused_stops_the_start() {
    let redis = Redis::with_args(&["--requirepass", "right"]).unwrap();
    let port = redis.port();
    for login in ["", ":secret@", "alice:secret@"] {
        let error = refusal(&format!("redis://{login}127.0.0.1:{port}")).await;
        assert!(matches!(error, OpenError::Login(_)), "{error}");
    }
    let node = TestNode::start(&format!("redis://:right@127.0.0.1:{port}")).await;
    assert_eq!(node.broker.ping().await, Ok(()));
}

/// Those that `RedisBroker::open` names.
const RIGHTS: [&str; 10] = [
    "--user",
    "alice",
    "on",
    ">secret",
    "-@all",
    "+publish",
    "+subscribe",
    "+unsubscribe",
    "+client|info",
    "+client|kill",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_user_needs_few_rights_and_is_refused_with_fewer() {
    let with_channels = [&RIGHTS[..], &["resetchannels", "&upload:*"]].concat();
    let redis = Redis::with_args(&with_channels).unwrap();
    let url = format!("redis://alice:secret@127.0.0.1:{}", redis.port());
    let (node, topic) = (TestNode::start(&url).await, some_topic());
    node.broker.subscribe(topic).await.unwrap();
    node.publish(topic, "permitted").await;
    node.wait_for(topic, "permitted").await;
    node.broker.unsubscribe(topic).await.unwrap();

    let without_channels = [&RIGHTS[..], &["resetchannels"]].concat();
    let redis = Redis::with_args(&without_channels).unwrap();
    let error = refusal(&format!("redis://alice:secret@127.0.0.1:{}", redis.port())).await;
    assert!(matches!(error, OpenError::NotPermitted(_)), "{error}");
}
