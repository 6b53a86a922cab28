//! Requests post while the upload's task appends, publishes and ends.

use std::sync::Arc;

use app::event::ServerEvent;
use app::model::{Content, Kind, LogEntry, MediaType, Seq, Timestamp, Upload};
use async_trait::async_trait;
use futures::FutureExt;
use shuttle::future::{block_on, spawn, yield_now};
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::*;
use crate::broker::{Broker, BrokerError, Deliver, Frame};
use crate::config::HubIntervals;
use crate::hub::HubLimits;
use crate::hub::metrics::HubMetrics;
use crate::store::memory::MemoryStore;
use crate::sync::explore;

/// Records what is published.
#[derive(Default)]
struct Published(std::sync::Mutex<Vec<Seq>>);

#[async_trait]
impl Broker for Published {
    fn attach(&self, _receiver: Arc<dyn Deliver>) {}

    async fn publish(&self, _topic: UploadId, frame: Frame) -> Result<(), BrokerError> {
        let event = serde_json::from_str(&frame.text).unwrap();
        let ServerEvent::MessagePosted { message, .. } = event else {
            panic!("nothing else is published");
        };
        self.0.lock().unwrap().push(message.seq);
        yield_now().await;
        Ok(())
    }

    async fn subscribe(&self, _topic: UploadId) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn unsubscribe(&self, _topic: UploadId) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        Ok(())
    }
}

/// A hub whose background tasks never run.
fn hub(broker: &Arc<Published>) -> Hub {
    let limits = HubLimits {
        touches_per_second: 0,
        intervals: HubIntervals::default(),
    };
    Hub::start(
        broker.clone(),
        Arc::new(MemoryStore::default()),
        limits,
        HubMetrics::default(),
        TaskTracker::new(),
        CancellationToken::new(),
    )
}

fn insert(store: &MemoryStore) -> UploadId {
    let (id, short_id) = (ids::upload_id(), ids::short_id());
    let content = Content {
        url: format!("/i/{short_id}"),
        media_type: MediaType::Jpeg,
        size: 1,
        width: 1,
        height: 1,
    };
    let upload = Upload {
        id,
        short_id,
        kind: Kind::Image,
        content,
        created_at: Timestamp::EPOCH,
        expires_at: None,
    };
    let inserted = store.insert_upload(upload, None).now_or_never();
    inserted.unwrap().unwrap();
    id
}

fn message() -> NewMessage {
    NewMessage {
        author_name: "Ada".parse().unwrap(),
        content: "Hello".parse().unwrap(),
        client_message_id: ids::client_message_id(),
        at: None,
        author: None,
    }
}

/// Posts a message, and returns its number.
async fn post(poster: &Poster, upload: UploadId) -> Seq {
    let message = message();
    let key = message.client_message_id.clone();
    let Appended::New(stored) = poster.post(upload, message, None).await.unwrap() else {
        panic!("nobody has posted it before");
    };
    assert_eq!(stored.client_message_id, key, "the answer is its own");
    stored.seq
}

#[test]
fn every_post_is_answered_once_and_all_are_published_in_their_order() {
    // It runs nothing after this.
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let broker = Arc::<Published>::default();
    let hub = runtime.block_on(async { hub(&broker) });
    explore(move || {
        let store = Arc::new(MemoryStore::default());
        let upload = insert(&store);
        let poster = Poster::new(store.clone(), hub.clone());
        let posting = [(); 2].map(|()| {
            let poster = poster.clone();
            spawn(async move {
                let first = post(&poster, upload).await;
                let second = post(&poster, upload).await;
                assert!(first < second);
            })
        });
        let vanishing = spawn({
            let poster = poster.clone();
            async move { post(&poster, upload).await }
        });
        vanishing.abort();
        for posting in posting {
            block_on(posting).unwrap();
        }
        // It may have been answered before.
        let _ = block_on(vanishing);
        block_on(async {
            while !poster.queues().is_empty() {
                yield_now().await;
            }
        });
        let page = store.inspect(upload, usize::MAX).unwrap();
        assert!(page.entries.len() >= 4);
        let stored: Vec<_> = page.entries.iter().map(LogEntry::seq).collect();
        let published = std::mem::take(&mut *broker.0.lock().unwrap());
        assert_eq!(published, stored);
    });
}
