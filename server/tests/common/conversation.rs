//! Helpers for tests of conversations.

use std::time::Duration;

use app::model::{LogPage, Message, UploadId};
use serde_json::json;
use server::ids;
use tokio::time::{sleep, timeout};

use super::TestNode;

impl TestNode {
    /// The base URL, `http://…`.
    pub fn base(&self) -> String {
        self.url("")
    }

    /// Posts a text as a new message.
    pub async fn post_text(&self, upload: UploadId, text: &str) -> Message {
        let (status, message) = self
            .post_as(upload, ids::client_message_id().as_str(), text)
            .await;
        assert_eq!(status, 201);
        message
    }

    /// Posts this many messages, one after the other.
    pub async fn post_numbered(&self, upload: UploadId, count: usize) -> Vec<Message> {
        let mut posted = Vec::with_capacity(count);
        for n in 0..count {
            posted.push(self.post_text(upload, &format!("message {n}")).await);
        }
        posted
    }

    /// Posts a text with this `clientMessageID`; returns the response's status and the message.
    pub async fn post_as(&self, upload: UploadId, client_id: &str, text: &str) -> (u16, Message) {
        let body = json!({"authorName": "Ada", "content": text, "clientMessageID": client_id});
        let response = self.post_message(&upload.to_string(), &body).await;
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Reads the whole conversation, page by page.
    pub async fn all_messages(&self, upload: UploadId) -> Vec<Message> {
        let mut all: Vec<Message> = Vec::new();
        loop {
            let after = all.last().map_or(0, |message| message.seq.get());
            let path = format!("/api/uploads/{upload}/messages?after={after}&limit=200");
            let page: LogPage = self.get(&path).send().await.unwrap().json().await.unwrap();
            if page.entries.is_empty() {
                return all;
            }
            all.extend(page.messages().cloned());
        }
    }

    /// Waits until the condition holds.
    pub async fn wait_until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        let holds = async {
            while !condition().await {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(10), holds)
            .await
            .unwrap_or_else(|_| panic!("timed out waiting: {what}"));
    }
}
