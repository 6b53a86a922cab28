//! How the making of smaller pictures is limited: by address, after failures, and when the node stops.

use std::path::Path;
use std::time::Duration;

use app::model::Upload;
use futures::future::{join, join_all};
use reqwest::{Response, StatusCode};
use tokio::time::timeout;

use crate::common::faults::{Mode, Switches};
use crate::common::{TestNode, header, pictures, problem};

const METRICS: (&str, &str) = ("METRICS_PORT", "0");
const PROXY: (&str, &str) = ("TONESA_TRUSTED_PROXIES", "127.0.0.1");
/// Makes a picture.
const MAKE: &str = r#"echo '{"Headers":{"media_type":"image/jpeg","memory":1}}'
    read line
    printf '\377\330' > "$3"
    echo '"Resized"'"#;
/// Takes longer than any test.
const HANG: &str = "exec sleep 60";

/// Uploads a script that is accepted as a wide image, and makes smaller pictures as `resize` says.
async fn uploaded(node: &TestNode, resize: &str) -> Upload {
    let script = format!(
        r#"PATH=/bin:/usr/bin
        if [ "$1" = resize-image ]; then
        {resize}
        exit
        fi
        echo '{{"Headers":{{"media_type":"image/jpeg","memory":1}}}}'
        cp "$2" "$3"
        size=$(wc -c < "$3" | tr -d ' ')
        read line
        echo '{{"Inspected":{{"media_type":"image/jpeg","width":3000,"height":2,"size":'$size'}}}}'
        "#
    );
    let response = node.upload(script.into()).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    response.json().await.unwrap()
}

/// Waits until a script goes on, when this file exists.
fn wait_for(file: &Path) -> String {
    format!("while [ ! -e {} ]; do sleep 0.02; done", file.display())
}

/// Asks for a smaller picture from this address.
async fn get(node: &TestNode, image: &Upload, width: u32, from: &str) -> Response {
    let request = node.get(&format!("{}?w={width}", image.content.url));
    let request = request.header("x-forwarded-for", from);
    request.send().await.unwrap()
}

/// How many pictures could not be made.
async fn failed(node: &TestNode) -> u64 {
    let url = format!("http://{}/metrics", node.metrics.unwrap());
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let series = "tonesa_images_resized_total{outcome=\"failed\"} ";
    let value = text.lines().find_map(|line| line.strip_prefix(series));
    value.map_or(0, |value| value.parse().unwrap())
}

#[tokio::test]
async fn pictures_that_have_to_be_made_are_limited_by_address() {
    let limit = ("TONESA_PICTURES_PER_MINUTE", "2");
    let node = TestNode::with_scripts(&[PROXY, limit]).await;
    let image = uploaded(&node, MAKE).await;
    for width in [640, 1280, 640, 1280, 640] {
        let response = get(&node, &image, width, "192.0.2.1").await;
        assert_eq!(response.status(), StatusCode::OK, "{width}");
    }
    let refused = get(&node, &image, 2560, "192.0.2.1").await;
    let wait: u32 = header(refused.headers(), "retry-after").parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    problem(refused, 429, "too-many-requests").await;
    let other = get(&node, &image, 2560, "192.0.2.2").await;
    assert_eq!(other.status(), StatusCode::OK);
}

#[tokio::test]
async fn requests_of_one_address_that_wait_for_the_same_picture_count_once() {
    let limit = ("TONESA_PICTURES_PER_MINUTE", "1");
    let node = TestNode::with_scripts(&[PROXY, limit]).await;
    let go_on = node.folder.path().join("go-on");
    let image = uploaded(&node, &(wait_for(&go_on) + "\n" + MAKE)).await;
    let requests = join_all((0..3).map(|_| get(&node, &image, 640, "192.0.2.1")));
    let decoders = &node.node.decoders;
    let making = async {
        node.wait_until("it is being made", async || decoders.decoding() == 1)
            .await;
        std::fs::write(go_on, "").unwrap();
    };
    let (responses, ()) = join(requests, making).await;
    for response in responses {
        assert_eq!(response.status(), StatusCode::OK);
    }
    let refused = get(&node, &image, 1280, "192.0.2.1").await;
    problem(refused, 429, "too-many-requests").await;
}

#[tokio::test]
async fn a_picture_does_not_wait_for_a_busy_address_when_another_one_wants_it_too() {
    let node = TestNode::with_scripts(&[PROXY]).await;
    let (slow, image) = (uploaded(&node, HANG).await, uploaded(&node, MAKE).await);
    let both = async {
        let decoders = &node.node.decoders;
        node.wait_until("it has its one decoder", async || decoders.decoding() == 1)
            .await;
        let first = get(&node, &image, 640, "192.0.2.1");
        let second = async {
            node.wait_until("it waits", async || decoders.resizes_waiting() == 1)
                .await;
            get(&node, &image, 640, "192.0.2.2").await
        };
        let (first, second) = join(first, second).await;
        assert_eq!(second.status(), StatusCode::OK);
        assert_eq!(first.status(), StatusCode::OK);
    };
    tokio::select! {
        () = both => {}
        _ = get(&node, &slow, 640, "192.0.2.1") => panic!("it should not be done"),
    }
}

#[tokio::test]
async fn a_picture_that_has_waited_too_long_for_memory_is_tried_again_soon() {
    let node = TestNode::with_scripts(&[PROXY]).await;
    let path = |name| node.folder.path().join(name);
    let (begun, go_on) = (path("begun"), path("go-on"));
    let large = |then: &str| {
        let headers = r#"echo '{"Headers":{"media_type":"image/jpeg","memory":300000000}}'"#;
        format!("{headers}\nread line\n{then}\nprintf '\\377\\330' > \"$3\"\necho '\"Resized\"'")
    };
    let wait = format!("touch {}\n{}", begun.display(), wait_for(&go_on));
    let slow = uploaded(&node, &large(&wait)).await;
    let image = uploaded(&node, &large("")).await;
    let waiting = async {
        node.wait_until("it has its memory", async || begun.exists())
            .await;
        let refused = get(&node, &image, 640, "192.0.2.2").await;
        problem(refused, 503, "unavailable").await;
        std::fs::write(&go_on, "").unwrap();
    };
    let (made, ()) = join(get(&node, &slow, 640, "192.0.2.1"), waiting).await;
    assert_eq!(made.status(), StatusCode::OK);
    node.wait_until("it is tried again", async || {
        let again = get(&node, &image, 640, "192.0.2.2").await;
        again.status() == StatusCode::OK
    })
    .await;
}

#[tokio::test]
async fn a_picture_that_has_failed_is_not_tried_again_at_once() {
    let node = TestNode::with_scripts(&[METRICS]).await;
    let image = uploaded(&node, "kill -9 $$").await;
    for _ in 0..3 {
        let response = get(&node, &image, 640, "").await;
        assert_eq!(header(response.headers(), "retry-after"), "3");
        problem(response, 503, "unavailable").await;
        assert_eq!(failed(&node).await, 1);
    }
    node.wait_until("it is tried again", async || {
        let response = get(&node, &image, 640, "").await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        failed(&node).await == 2
    })
    .await;
}

#[tokio::test]
async fn a_slow_blob_store_holds_no_decoder_and_no_memory() {
    let switches = Switches::default();
    let node = TestNode::with_backends(&[], |backends| switches.wrap(backends)).await;
    let bytes = pictures::large_png(1_500_000);
    let image: Upload = node.upload(bytes).await.json().await.unwrap();
    node.placeholder_is_kept(image.short_id).await;
    switches.blobs.set(Mode::BlockedReads);
    let requests = join_all((0..3).map(|_| get(&node, &image, 640, "")));
    let slow = async {
        node.wait_until("the image is being read", async || {
            node.temporary_files() == 1
        })
        .await;
        let decoders = &node.node.decoders;
        assert_eq!((decoders.decoding(), decoders.resizes_waiting()), (0, 0));
        assert_eq!(node.node.response_budget.reserved(), 0);
        switches.blobs.set(Mode::Working);
    };
    let (responses, ()) = join(requests, slow).await;
    for response in responses {
        assert_eq!(response.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_node_that_stops_does_not_wait_for_pictures() {
    let mut node = TestNode::with_scripts(&[]).await;
    let image = uploaded(&node, HANG).await;
    let request = node.get(&format!("{}?w=640", image.content.url)).send();
    let request = tokio::spawn(request);
    let decoders = node.node.decoders.clone();
    node.wait_until("it is being made", async || decoders.decoding() == 1)
        .await;
    node.begin_to_stop();
    let response = timeout(Duration::from_secs(5), request).await;
    let response = response.expect("it is answered").unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    node.stop().await;
    assert_eq!(decoders.decoding(), 0);
}
