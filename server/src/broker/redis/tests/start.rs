use std::io::Write;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use testbed::Redis;
use tokio_util::sync::CancellationToken;

use super::test_node::TestNode;
use crate::admission::shared_counts::{NotCounted, SharedCounts};
use crate::app::metrics::Metrics;
use crate::broker::Broker;
use crate::broker::conformance::some_topic;
use crate::broker::redis::{OpenError, Reason, RedisBroker};

/// The error of a start with this address, which has to name the variable and must not contain a secret.
async fn start_error(url: &str) -> OpenError {
    let Err(error) =
        RedisBroker::open(url, Metrics::default().broker, CancellationToken::new()).await
    else {
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
async fn an_invalid_address_is_an_error() {
    for wrong in [
        "alice:secret",
        "http://alice:secret@host",
        "redis://alice:secret@host:x",
    ] {
        assert!(matches!(start_error(wrong).await, OpenError::Url(_)));
    }
}

#[tokio::test]
async fn an_unreachable_server_is_an_error() {
    let port = testbed::free_port().unwrap();
    let nobody = start_error(&format!("redis://alice:secret@127.0.0.1:{port}")).await;
    is_unusable(&nobody, Reason::ConnectionRefused);
    assert!(nobody.to_string().contains(&format!("127.0.0.1:{port}")));
    let cluster = format!("redis+cluster://alice:secret@127.0.0.1:{port}");
    is_unusable(&start_error(&cluster).await, Reason::ConnectionRefused);
    let sentinel = format!("redis+sentinel://alice:secret@127.0.0.1:{port}/main");
    is_unusable(&start_error(&sentinel).await, Reason::ConnectionRefused);
    let unknown = start_error("redis://alice:secret@nowhere.invalid").await;
    is_unusable(&unknown, Reason::UnknownHost);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_an_error() {
    let redis = Redis::start().unwrap();
    redis.freeze().unwrap();
    is_unusable(&start_error(&redis.url()).await, Reason::Timeout);
}

#[tokio::test]
async fn a_server_of_another_protocol_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream
                .unwrap()
                .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let error = start_error(&format!("redis://alice:secret@{address}")).await;
    is_unusable(&error, Reason::Protocol);
}

#[tokio::test]
async fn a_server_without_tls_or_cluster_is_an_error_where_they_are_required() {
    let port = testbed::shared::redis().port();
    let cluster = format!("redis+cluster://127.0.0.1:{port}");
    is_unusable(&start_error(&cluster).await, Reason::NotACluster);
    // The server takes the TLS handshake for an incomplete command, and waits for its end.
    let tls = format!("rediss://127.0.0.1:{port}");
    is_unusable(&start_error(&tls).await, Reason::Timeout);
}

#[tokio::test]
async fn a_refused_login_is_an_error() {
    let redis = Redis::with_args(&["--requirepass", "right"]).unwrap();
    let port = redis.port();
    for login in ["", ":secret@", "alice:secret@"] {
        let error = start_error(&format!("redis://{login}127.0.0.1:{port}")).await;
        assert!(matches!(error, OpenError::Login(_)), "{error}");
    }
    let node = TestNode::start(&format!("redis://:right@127.0.0.1:{port}")).await;
    node.broker.ping().await.unwrap();
}

/// The permissions that `RedisBroker::open` documents.
const PERMISSIONS: [&str; 14] = [
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
    "+set",
    "+incr",
    "+multi",
    "+exec",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_permissions_are_sufficient_and_necessary() {
    let with_channels = [&PERMISSIONS[..], &["resetchannels", "&upload:*", "~rate:*"]].concat();
    let redis = Redis::with_args(&with_channels).unwrap();
    let url = format!("redis://alice:secret@127.0.0.1:{}", redis.port());
    let (node, topic) = (TestNode::start(&url).await, some_topic());
    node.broker.subscribe(topic).await.unwrap();
    node.publish(topic, "permitted").await;
    node.wait_for(topic, "permitted").await;
    node.broker.unsubscribe(topic).await.unwrap();
    let count = async |node: &TestNode| node.broker.count("some", Duration::from_mins(1)).await;
    assert_eq!(count(&node).await, Ok(1));
    assert_eq!(count(&node).await, Ok(2));
    let seconds_left = redis.call("TTL rate:some").unwrap();
    assert!(
        (1..=60).contains(&seconds_left.parse().unwrap()),
        "{seconds_left}"
    );

    let without_keys = [&PERMISSIONS[..], &["resetchannels", "&upload:*"]].concat();
    let redis = Redis::with_args(&without_keys).unwrap();
    let url = format!("redis://alice:secret@127.0.0.1:{}", redis.port());
    let node = TestNode::start(&url).await;
    let refused = count(&node).await.unwrap_err();
    assert_eq!(refused, NotCounted(Reason::NotPermitted.to_string()));
    node.broker.subscribe(topic).await.unwrap();
    node.publish(topic, "still permitted").await;
    node.wait_for(topic, "still permitted").await;

    let without_transactions = [&with_channels[..], &["-multi", "-exec"]].concat();
    let redis = Redis::with_args(&without_transactions).unwrap();
    let url = format!("redis://alice:secret@127.0.0.1:{}", redis.port());
    let refused = count(&TestNode::start(&url).await).await.unwrap_err();
    assert_eq!(refused, NotCounted(Reason::NotPermitted.to_string()));

    let without_channels = [&PERMISSIONS[..], &["resetchannels"]].concat();
    let redis = Redis::with_args(&without_channels).unwrap();
    let error = start_error(&format!("redis://alice:secret@127.0.0.1:{}", redis.port())).await;
    assert!(matches!(error, OpenError::NotPermitted(_)), "{error}");
}
