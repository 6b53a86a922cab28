//! The calls that the browser makes, through whichever node the balancer chooses.

use std::net::SocketAddr;
use std::time::Duration;

use app::live::failure::ApiFailure;
use app::model::{
    AuthorSecret, LogEntry, LogPage, MessageId, NewMessage, Seq, ShortId, Upload, UploadId,
    UploadsPage,
};
use reqwest::header::RETRY_AFTER;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, RequestBuilder};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::balancer::Balancer;
use crate::environment::ADMIN_TOKEN;

/// As long as the browser waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// What the browser asks for at once.
const AFTER_LIMIT: usize = 200;
const UP_TO_LIMIT: usize = 51;

/// The HTTP API behind a balancer.
#[derive(Debug, Clone)]
pub struct Api {
    http: Client,
    balancer: Balancer,
}

impl Api {
    pub fn new(http: Client, balancer: Balancer) -> Self {
        Self { http, balancer }
    }

    /// The API of this node alone.
    pub fn of_node(&self, node: SocketAddr) -> Self {
        self.behind(Balancer::new([node]))
    }

    /// The API behind another balancer.
    pub fn behind(&self, balancer: Balancer) -> Self {
        Self::new(self.http.clone(), balancer)
    }

    /// The node for the next request or socket.
    pub fn choose_node(&self) -> SocketAddr {
        self.balancer.choose()
    }

    /// The newest messages, as the page shows them.
    pub async fn newest(&self, upload: UploadId) -> Result<LogPage, ApiFailure> {
        read(self.http.get(self.messages(upload))).await
    }

    /// The messages after this one.
    pub async fn after(&self, upload: UploadId, seq: Seq) -> Result<LogPage, ApiFailure> {
        let url = self.url(&Self::after_path(upload, seq));
        read(self.http.get(url)).await
    }

    /// The address of the messages after this one.
    pub fn after_path(upload: UploadId, seq: Seq) -> String {
        format!("/api/uploads/{upload}/messages?after={seq}&limit={AFTER_LIMIT}")
    }

    /// The last one that is returned there, if there are enough.
    pub fn end_of_page(after: Seq) -> Seq {
        Seq::new(after.get() + AFTER_LIMIT as u64)
    }

    /// The messages up to this one.
    pub async fn up_to(&self, upload: UploadId, seq: Seq) -> Result<LogPage, ApiFailure> {
        let before = seq.next();
        let query = format!("?before={before}&limit={UP_TO_LIMIT}");
        read(self.http.get(self.messages(upload) + &query)).await
    }

    /// Posts a message, with the author's secret if there is one.
    pub async fn post(
        &self,
        upload: UploadId,
        new: &NewMessage,
        secret: Option<&AuthorSecret>,
    ) -> Result<LogEntry, ApiFailure> {
        let mut request = self.http.post(self.messages(upload)).json(new);
        if let Some(secret) = secret {
            request = request.bearer_auth(secret.expose());
        }
        read(request).await
    }

    pub async fn delete_message(
        &self,
        upload: UploadId,
        (seq, id): (Seq, MessageId),
        secret: &AuthorSecret,
    ) -> Result<(), ApiFailure> {
        let url = format!("{}/{seq}?id={id}", self.messages(upload));
        delete(self.http.delete(url).bearer_auth(secret.expose())).await
    }

    pub async fn create_upload(
        &self,
        png: Vec<u8>,
        owner: Option<&AuthorSecret>,
        expires_in: Option<u32>,
    ) -> Result<Upload, ApiFailure> {
        let file = Part::bytes(png).file_name("picture.png");
        let mut form = Form::new().part("file", file);
        if let Some(seconds) = expires_in {
            form = form.text("expiresIn", seconds.to_string());
        }
        let mut request = self.http.post(self.url("/api/uploads")).multipart(form);
        if let Some(owner) = owner {
            request = request.bearer_auth(owner.expose());
        }
        read(request).await
    }

    pub async fn delete_upload(
        &self,
        id: UploadId,
        secret: &AuthorSecret,
    ) -> Result<(), ApiFailure> {
        let url = self.url(&format!("/api/uploads/{id}"));
        delete(self.http.delete(url).bearer_auth(secret.expose())).await
    }

    /// Removes an upload as an admin, and blocks its image.
    pub async fn block_upload(&self, id: UploadId) -> Result<(), ApiFailure> {
        let url = self.url(&format!("/api/admin/uploads/{id}?block=1"));
        delete(self.http.delete(url).bearer_auth(ADMIN_TOKEN)).await
    }

    /// All uploads that are not gone, as an admin sees them.
    pub async fn all_uploads(&self) -> Result<Vec<ShortId>, ApiFailure> {
        let (mut uploads, mut query) = (Vec::new(), String::new());
        loop {
            let url = self.url(&format!("/api/admin/uploads{query}"));
            let page: UploadsPage = read(self.http.get(url).bearer_auth(ADMIN_TOKEN)).await?;
            uploads.extend(page.uploads.iter().map(|it| it.upload.short_id));
            match page.next {
                Some(next) => query = format!("?before={next}"),
                None => return Ok(uploads),
            }
        }
    }

    /// The status and the body of what is at this address.
    pub async fn get(&self, path: &str) -> Result<(u16, Vec<u8>), ApiFailure> {
        let request = self.http.get(self.url(path)).timeout(TIMEOUT);
        let answer = request.send().await.map_err(|error| failure(&error))?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(|error| failure(&error))?;
        Ok((status, body.to_vec()))
    }

    pub async fn upload(&self, id: UploadId) -> Result<Upload, ApiFailure> {
        read(self.http.get(self.url(&format!("/api/uploads/{id}")))).await
    }

    pub async fn is_live(&self, timeout: Duration) -> reqwest::Result<bool> {
        let request = self.http.get(self.url("/livez")).timeout(timeout);
        Ok(request.send().await?.status().is_success())
    }

    fn messages(&self, upload: UploadId) -> String {
        self.url(&format!("/api/uploads/{upload}/messages"))
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.choose_node())
    }
}

/// Sends a request and reads the answer as the browser does.
async fn read<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, ApiFailure> {
    let (status, retry_after, body) = exchange(request).await?;
    ApiFailure::read(status, retry_after, &body)
}

/// The answer to a deletion has no body.
async fn delete(request: RequestBuilder) -> Result<(), ApiFailure> {
    match exchange(request).await? {
        (200..300, ..) => Ok(()),
        (status, retry_after, body) => {
            ApiFailure::read::<IgnoredAny>(status, retry_after, &body).map(drop)
        }
    }
}

async fn exchange(request: RequestBuilder) -> Result<(u16, Option<u32>, String), ApiFailure> {
    let request = request
        .timeout(TIMEOUT)
        .header("Accept", "application/json");
    let answer = request.send().await.map_err(|error| failure(&error))?;
    let status = answer.status().as_u16();
    let retry_after = answer.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    let body = answer.text().await.map_err(|error| failure(&error))?;
    Ok((status, retry_after, body))
}

fn failure(error: &reqwest::Error) -> ApiFailure {
    if error.is_timeout() {
        ApiFailure::TimedOut
    } else {
        ApiFailure::Unreachable
    }
}
