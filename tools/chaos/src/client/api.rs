//! The calls that the browser makes, through whichever node the balancer names.

use std::time::Duration;

use app::live::failure::ApiFailure;
use app::model::{Message, MessagePage, NewMessage, Seq, UploadId};
use reqwest::{Client, RequestBuilder};
use serde::de::DeserializeOwned;

use crate::balancer::Balancer;

/// As long as the browser waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// What the browser asks for at once.
const AFTER_LIMIT: usize = 200;
const BEFORE_LIMIT: usize = 50;

/// The HTTP API as one service.
#[derive(Debug, Clone)]
pub struct Api {
    http: Client,
    balancer: Balancer,
}

impl Api {
    /// Calls through `balancer`.
    pub fn new(http: Client, balancer: Balancer) -> Self {
        Self { http, balancer }
    }

    /// Chooses the nodes.
    pub fn balancer(&self) -> &Balancer {
        &self.balancer
    }

    /// The newest messages, as the page shows them.
    pub async fn newest(&self, upload: UploadId) -> Result<MessagePage, ApiFailure> {
        self.get(&format!("/api/uploads/{upload}/messages")).await
    }

    /// The messages after that number.
    pub async fn after(&self, upload: UploadId, seq: Seq) -> Result<MessagePage, ApiFailure> {
        self.get(&after(upload, seq)).await
    }

    /// The messages just before that number.
    pub async fn before(&self, upload: UploadId, seq: Seq) -> Result<MessagePage, ApiFailure> {
        let messages = format!("/api/uploads/{upload}/messages");
        self.get(&format!("{messages}?before={seq}&limit={BEFORE_LIMIT}"))
            .await
    }

    /// Posts a message.
    pub async fn post(&self, upload: UploadId, new: &NewMessage) -> Result<Message, ApiFailure> {
        let url = self.url(&format!("/api/uploads/{upload}/messages"));
        read(self.http.post(url).json(new)).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiFailure> {
        read(self.http.get(self.url(path))).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.balancer.choose())
    }
}

/// Where the messages after that number are read.
pub fn after(upload: UploadId, seq: Seq) -> String {
    format!("/api/uploads/{upload}/messages?after={seq}&limit={AFTER_LIMIT}")
}

/// Sends a request and reads the answer as the browser does.
pub async fn read<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, ApiFailure> {
    let failure = |error: reqwest::Error| {
        if error.is_timeout() {
            ApiFailure::TimedOut
        } else {
            ApiFailure::Unreachable
        }
    };
    let request = request
        .timeout(TIMEOUT)
        .header("Accept", "application/json");
    let answer = request.send().await.map_err(failure)?;
    let status = answer.status().as_u16();
    ApiFailure::read(status, &answer.text().await.map_err(failure)?)
}
