//! Publishes this node's viewers, and tells its sockets who watches with them.

use std::time::Duration;

use app::model::UploadId;
use futures::{StreamExt, stream};
use tokio::task::consume_budget;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::batch::Batch;
use super::frames::presence_frame;
use super::handle::Hub;
use super::presence::{Digest, Viewers};
use super::rooms::presence::PresenceOutput;
use crate::broker::BrokerError;

/// The number of topics that are handled together. A topic's next digest waits for all of them, so that its digests
/// keep their order.
const MAX_CONCURRENT: usize = 64;
/// How long a broker may take, because other topics wait meanwhile.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a node that stops may take to say that its viewers are gone.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);

/// Handles topics when they are due. When the node stops, tells the others that its viewers are gone: they connect to
/// other nodes at once, and would be counted twice.
pub(super) async fn run(hub: Hub, shutdown: CancellationToken) {
    shutdown.run_until_cancelled(announce(&hub)).await;
    let farewells = stream::iter(hub.0.rooms.shared_topics())
        .map(|topic| publish(&hub, topic, Viewers::default(), false))
        .buffer_unordered(MAX_CONCURRENT)
        .for_each(|_| async {});
    // What is not published expires.
    let _ = timeout(FAREWELL_TIMEOUT, farewells).await;
}

async fn announce(hub: &Hub) {
    loop {
        let topics = hub.0.rooms.due_presences.next(MAX_CONCURRENT).await;
        let handle = async |topic| handle(hub, topic).await;
        stream::iter(topics).for_each_concurrent(None, handle).await;
        consume_budget().await;
    }
}

async fn handle(hub: &Hub, topic: UploadId) {
    let rooms = &hub.0.rooms;
    let PresenceOutput { digest, event } = rooms.take_due_presence(topic);
    if let Some((outboxes, viewers)) = event {
        let batch = Batch::from(&presence_frame(topic, viewers));
        for outbox in outboxes {
            outbox.push(&batch);
            consume_budget().await;
        }
    }
    // While the subscription is interrupted, the other nodes are asked after its repair.
    if let Some((viewers, asks)) = digest
        && rooms.epoch().is_connected()
        && publish(hub, topic, viewers, asks).await.is_err()
    {
        rooms.retry_presence(topic, asks);
    }
}

async fn publish(
    hub: &Hub,
    topic: UploadId,
    viewers: Viewers,
    hello: bool,
) -> Result<(), BrokerError> {
    let digest = Digest {
        node: hub.0.node,
        count: viewers.count,
        people: viewers.people,
        hello,
    };
    let published = timeout(
        PUBLISH_TIMEOUT,
        hub.0.broker.publish(topic, digest.encode()),
    );
    published.await.unwrap_or(Err(BrokerError::UNAVAILABLE))
}
