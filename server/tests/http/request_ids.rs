//! Request ids in what is logged outside of the request's own task.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use app::model::{LogPage, ShortId, Timestamp, Upload, UploadId, UploadRef};
use async_trait::async_trait;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use server::app::backends::Backends;
use server::ids::PairingId;
use server::store::{
    Appended, Deleted, DeletionDraft, Draft, MessageRef, Removal, Requester, SecretHash, Select,
    Store, StoreError,
};
use tracing::error;
use tracing_subscriber::fmt::MakeWriter;

use crate::common::{TestNode, pictures};

/// A store whose writes fail, which it logs.
struct Failing(Arc<dyn Store>);

#[async_trait]
impl Store for Failing {
    async fn insert_upload(&self, _: Upload, _: Option<SecretHash>) -> Result<(), StoreError> {
        error!("no upload was written");
        Err(StoreError::Unavailable)
    }

    async fn upload(&self, name: UploadRef) -> Result<Upload, StoreError> {
        self.0.upload(name).await
    }

    async fn append(&self, _: UploadId, _: Vec<Draft>) -> Result<Vec<Appended>, StoreError> {
        error!("no message was written");
        Err(StoreError::Unavailable)
    }

    async fn delete_message(
        &self,
        upload: UploadId,
        message: MessageRef,
        by: Requester,
        draft: DeletionDraft,
    ) -> Result<Deleted, StoreError> {
        self.0.delete_message(upload, message, by, draft).await
    }

    async fn delete_upload(
        &self,
        upload: UploadId,
        by: Requester,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.0.delete_upload(upload, by, at).await
    }

    async fn stored_bytes(&self) -> Result<u64, StoreError> {
        self.0.stored_bytes().await
    }

    async fn removals(&self, limit: usize) -> Result<Vec<Removal>, StoreError> {
        self.0.removals(limit).await
    }

    async fn remove_log(&self, upload: UploadId, limit: usize) -> Result<usize, StoreError> {
        self.0.remove_log(upload, limit).await
    }

    async fn finish_removal(&self, upload: UploadId) -> Result<(), StoreError> {
        self.0.finish_removal(upload).await
    }

    async fn entries(
        &self,
        upload: UploadId,
        select: Select,
        limit: usize,
    ) -> Result<LogPage, StoreError> {
        self.0.entries(upload, select, limit).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.ping().await
    }

    async fn pairing(&self) -> Result<Option<PairingId>, StoreError> {
        self.0.pairing().await
    }

    async fn pair(&self, id: PairingId) -> Result<PairingId, StoreError> {
        self.0.pair(id).await
    }

    async fn newest_uploads(&self, limit: usize) -> Result<Vec<ShortId>, StoreError> {
        self.0.newest_uploads(limit).await
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Returns the events with this message.
    fn events(&self, text: &str) -> Vec<Value> {
        let log = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let events = log.lines().map(|line| serde_json::from_str(line).unwrap());
        events
            .filter(|event: &Value| event["message"] == text)
            .collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn id_of(response: &Response) -> &str {
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    response.headers()["x-request-id"].to_str().unwrap()
}

/// The whole node runs on this thread, and so does its log.
#[tokio::test]
async fn errors_of_the_store_are_logged_with_the_request_id() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_writer(log.clone());
    let _logging = tracing::subscriber::set_default(subscriber.finish());
    let working = TestNode::start().await;
    let upload = working.uploaded().await;
    // If another test has sent the first request of this process, its thread had no subscriber, and so the span of
    // requests was disabled.
    tracing::callsite::rebuild_interest_cache();
    let store = Failing(working.node.store.clone());
    let failing = TestNode::with_backends(&[], |own| Backends {
        store: Arc::new(store),
        ..own
    })
    .await;

    let uploaded = failing.upload(pictures::png(3, 2)).await;
    let logged = log.events("no upload was written");
    assert_eq!(logged.len(), 1);
    assert_eq!(logged[0]["span"]["id"], id_of(&uploaded));

    let path = format!("/api/uploads/{}/messages", upload.id);
    let body = json!({"content": "hello", "clientMessageID": "m"});
    let posted = failing.post(&path).json(&body).send().await.unwrap();
    let logged = log.events("no message was written");
    assert_eq!(logged.len(), 1);
    assert_eq!(logged[0]["span"]["id"], id_of(&posted));
}
