//! The HTTP API as one person uses it, from an address of its own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use app::model::{AuthorSecret, LogEntry, LogPage, MessageId, NewMessage, Seq, Upload, UploadId};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::sleep;

use crate::counters::{BUSY, Counters};

/// The header by which the node learns the address of a client.
pub const FORWARDED_FOR: &str = "x-forwarded-for";
/// As long as a browser waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The node closes idle connections after 10 s: a request must not meet that.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a call is repeated that the node was too busy for, and how much later: as a browser does.
const MAX_RETRIES: u32 = 5;
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How much of an unexpected answer is shown, in characters.
const SHOWN: usize = 200;

/// Why a call brought nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// The upload was deleted.
    Gone,
    /// Anything else, as a sentence.
    Unexpected(String),
}

impl From<String> for Failure {
    fn from(error: String) -> Self {
        Self::Unexpected(error)
    }
}

/// The connections of one person.
#[derive(Debug)]
pub struct Api {
    http: Client,
    base: String,
    counters: Arc<Counters>,
}

impl Api {
    /// For a person at this address; `base` is the node's, without a slash at the end.
    pub fn new(base: &str, address: IpAddr, counters: Arc<Counters>) -> Result<Self, Failure> {
        let value = HeaderValue::try_from(address.to_string()).expect("an address is ASCII");
        let headers = HeaderMap::from_iter([(HeaderName::from_static(FORWARDED_FOR), value)]);
        let http = Client::builder().no_proxy().default_headers(headers);
        let http = http.pool_idle_timeout(IDLE_TIMEOUT).timeout(TIMEOUT);
        let http = http.build().map_err(|error| error.to_string())?;
        let base = base.to_owned();
        Ok(Self {
            http,
            base,
            counters,
        })
    }

    /// Looks at a page or a picture.
    pub async fn view(&self, path: &str) -> Result<(), Failure> {
        let request = || self.http.get(self.url(path));
        self.call(request, StatusCode::OK).await.map(drop)
    }

    /// The newest entries of a log.
    pub async fn newest(&self, upload: UploadId) -> Result<LogPage, Failure> {
        let request = || self.http.get(self.messages(upload));
        read(&self.call(request, StatusCode::OK).await?)
    }

    /// The entries after this one.
    pub async fn after(&self, upload: UploadId, seq: Seq) -> Result<LogPage, Failure> {
        let url = format!("{}?after={seq}&limit=200", self.messages(upload));
        read(&self.call(|| self.http.get(&url), StatusCode::OK).await?)
    }

    /// Posts a new message.
    pub async fn post(
        &self,
        upload: UploadId,
        message: &NewMessage,
        secret: &AuthorSecret,
    ) -> Result<LogEntry, Failure> {
        let request = || {
            let request = self.http.post(self.messages(upload)).json(message);
            request.bearer_auth(secret.expose())
        };
        read(&self.call(request, StatusCode::CREATED).await?)
    }

    /// Deletes an own message.
    pub async fn delete_message(
        &self,
        upload: UploadId,
        (seq, id): (Seq, MessageId),
        secret: &AuthorSecret,
    ) -> Result<(), Failure> {
        let url = format!("{}/{seq}?id={id}", self.messages(upload));
        self.delete(url, secret).await
    }

    /// Uploads a picture.
    pub async fn upload(&self, png: Vec<u8>, owner: &AuthorSecret) -> Result<Upload, Failure> {
        let request = || {
            let file = Part::bytes(png.clone()).file_name("picture.png");
            let form = Form::new().part("file", file);
            let request = self.http.post(self.url("/api/uploads")).multipart(form);
            request.bearer_auth(owner.expose())
        };
        read(&self.call(request, StatusCode::CREATED).await?)
    }

    /// Deletes an upload.
    pub async fn delete_upload(&self, id: UploadId, owner: &AuthorSecret) -> Result<(), Failure> {
        self.delete(self.url(&format!("/api/uploads/{id}")), owner)
            .await
    }

    async fn delete(&self, url: String, secret: &AuthorSecret) -> Result<(), Failure> {
        let request = || self.http.delete(&url).bearer_auth(secret.expose());
        self.call(request, StatusCode::NO_CONTENT).await.map(drop)
    }

    fn messages(&self, upload: UploadId) -> String {
        self.url(&format!("/api/uploads/{upload}/messages"))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Repeats a request that the node is too busy for.
    async fn call(
        &self,
        request: impl Fn() -> RequestBuilder,
        expected: StatusCode,
    ) -> Result<impl AsRef<[u8]>, Failure> {
        let mut tries = 0;
        loop {
            let (client, request) = request().build_split();
            let request = request.map_err(|error| error.to_string())?;
            let what = format!("{} {}", request.method(), request.url().path());
            let failed =
                |error: reqwest::Error| format!("{what}: {:#}", anyhow::Error::from(error));
            let answer = client.execute(request).await.map_err(failed)?;
            let status = answer.status();
            let body = answer.bytes().await.map_err(failed)?;
            // A message that was stored in spite of an earlier answer is there already.
            if status == expected || tries > 0 && status == StatusCode::OK {
                return Ok(body);
            }
            if status == StatusCode::GONE {
                return Err(Failure::Gone);
            }
            if status == StatusCode::SERVICE_UNAVAILABLE && tries < MAX_RETRIES {
                self.counters.count(BUSY);
                tries += 1;
                sleep(RETRY_PAUSE).await;
                continue;
            }
            let body = String::from_utf8_lossy(&body);
            let shown = body.chars().take(SHOWN).collect::<String>();
            return Err(Failure::Unexpected(format!("{what}: {status}: {shown}")));
        }
    }
}

/// The address of a person: every second one has an IPv6 network of its own.
pub fn address(number: u32) -> IpAddr {
    let [a, b, c, d] = number.to_be_bytes();
    if number.is_multiple_of(2) {
        Ipv4Addr::new(10, b, c, d).into()
    } else {
        let network = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
        Ipv6Addr::new(0x2001, 0xdb8, network[0], network[1], 0, 0, 0, 1).into()
    }
}

fn read<T: DeserializeOwned>(body: &impl AsRef<[u8]>) -> Result<T, Failure> {
    let answer = serde_json::from_slice(body.as_ref());
    answer.map_err(|error| format!("an answer is malformed: {error}").into())
}
