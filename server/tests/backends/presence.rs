//! Who watches an upload, and touches, on three nodes with Redis between them.

use std::time::{Duration, Instant};

use app::event::{ClientCommand, ServerEvent};
use app::model::{Point, Upload, UploadRef, Viewer};
use reqwest::Client;

use crate::common::program::Program;
use crate::common::socket_client::SocketClient;
use crate::common::{file_form, pictures};

/// Within which a change is seen on all nodes.
const MOST_TIME: Duration = Duration::from_secs(3);

struct Nodes {
    nodes: [Program; 3],
    upload: Upload,
}

impl Nodes {
    async fn start() -> Self {
        let redis = testbed::shared::redis().url();
        let mongo = testbed::shared::mongo().url_of_new_database();
        let nodes =
            [(); 3].map(|()| Program::start(&[("REDIS_URL", &redis), ("MONGO_URL", &mongo)]));
        let form = file_form(pictures::png(3, 2));
        let request = Client::new().post(nodes[0].url("/api/uploads"));
        let response = request.multipart(form).send().await.unwrap();
        let upload = response.json().await.unwrap();
        Self { nodes, upload }
    }

    async fn watch(&self, node: usize, name: &str) -> SocketClient {
        let viewer = Viewer {
            author: None,
            name: Some(name.parse().unwrap()),
        };
        let mut socket = SocketClient::connect(&self.nodes[node].url("")).await;
        socket.watch_as(self.name(), viewer).await;
        socket
    }

    fn name(&self) -> UploadRef {
        UploadRef::Id(self.upload.id)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_count_their_viewers_together_and_notice_who_leaves() {
    let nodes = Nodes::start().await;
    let mut ada = nodes.watch(0, "Ada").await;
    let mut bob = nodes.watch(1, "Bob").await;
    let start = Instant::now();
    let mut cy = nodes.watch(2, "Cy").await;
    for socket in [&mut ada, &mut bob, &mut cy] {
        socket.told(3, &["Ada", "Bob", "Cy"]).await;
    }
    assert!(start.elapsed() < MOST_TIME);

    let left = Instant::now();
    drop(cy);
    for socket in [&mut ada, &mut bob] {
        socket.told(2, &["Ada", "Bob"]).await;
    }
    assert!(left.elapsed() < MOST_TIME);

    // A node that stops says so, or its viewers would be counted twice once they are connected again.
    let stopped = Instant::now();
    nodes.nodes[1].signal("TERM");
    ada.told(1, &["Ada"]).await;
    assert!(stopped.elapsed() < MOST_TIME);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_viewers_of_a_killed_node_are_gone_within_45_seconds() {
    let nodes = Nodes::start().await;
    let mut ada = nodes.watch(0, "Ada").await;
    let mut bob = nodes.watch(1, "Bob").await;
    ada.told(2, &["Ada", "Bob"]).await;
    bob.told(2, &["Ada", "Bob"]).await;
    let killed = Instant::now();
    nodes.nodes[1].signal("KILL");
    loop {
        ada.watch(nodes.name(), None).await;
        let (count, _) = ada.presence().await;
        let time = killed.elapsed();
        assert!(time < Duration::from_secs(45), "{count} after {time:?}");
        if count == 1 {
            // Earlier, a node that loses a frame or two would be taken for a dead one.
            assert!(time > Duration::from_secs(20), "{time:?}");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_touch_says_on_every_node_who_points() {
    let nodes = Nodes::start().await;
    let mut ada = nodes.watch(0, "Ada").await;
    let mut bob = nodes.watch(1, "Bob").await;
    let touch = ClientCommand::Touch {
        upload_id: nodes.name(),
        at: Point::new(0.25, 0.5).unwrap(),
        tab: "t".parse().unwrap(),
        author: Some("ldkulx5sv2".parse().unwrap()),
        name: Some("Ada".parse().unwrap()),
        stroke: Some("s1".parse().unwrap()),
    };
    ada.send(&touch).await;
    for socket in [&mut ada, &mut bob] {
        let event = socket.event().await;
        let ServerEvent::Touched { points, .. } = event else {
            panic!("{event:?}");
        };
        let point = &points[0];
        assert_eq!(point.author, Some("ldkulx5sv2".parse().unwrap()));
        assert_eq!(point.name, Some("Ada".parse().unwrap()));
        assert_eq!(point.stroke, Some("s1".parse().unwrap()));
    }
}
