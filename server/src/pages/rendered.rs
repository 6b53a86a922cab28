use std::io::{self, Write};
use std::net::IpAddr;

use app::Document;
use app::model::{Seq, Upload};
use app::source::{PageEnvironment, Shown};
use axum::body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use memchr::memmem;

use super::security;
use crate::budget::{AnswerBytes, NoRoom, SharedRoom};
use crate::problem;
use crate::representation::Representation;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
/// How a document ends. People's texts hold no `<`: it is escaped.
const END: &[u8] = b"</html>";
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// Where a conversation stood when it was read. Uploads never change and messages are only added, at the end, so that
/// everything that a page shows of an upload follows from it.
pub(super) type Read = (Upload, Seq);

/// What of the store the page is about to show.
pub(super) fn read_of(shown: &Shown) -> Option<Read> {
    match shown {
        Shown::Upload(page) => Some((page.upload.clone(), page.page.head)),
        _ => None,
    }
}

/// A page that is ready to be sent, however often.
pub(super) struct Page {
    /// What of the store it shows.
    pub read: Option<Read>,
    status: StatusCode,
    headers: HeaderMap,
    content: Representation,
    /// Taken while it is sent to anyone.
    room: SharedRoom,
}

impl Page {
    /// Renders it, from what is there: nothing of it is asked for meanwhile.
    pub async fn render(
        environment: PageEnvironment,
        shown: Shown,
        pictures_from: Option<&str>,
    ) -> Self {
        let read = read_of(&shown);
        let status = StatusCode::from_u16(shown.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let page = Document::new(environment, shown);
        let mut headers = HeaderMap::new();
        let policy = security::policy(&page, pictures_from).and_then(|it| it.parse().ok());
        if let Some(policy) = policy {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        security::protect(&mut headers);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = HeaderValue::from(problem::RETRY_AFTER.as_secs());
            headers.insert(header::RETRY_AFTER, seconds);
        }
        let html = html(page).await;
        // A page that cannot be compressed is sent as it is.
        let gzip = compressed(&html).ok();
        Self {
            read,
            status,
            headers,
            content: Representation::new(HTML, NO_CACHE, html).with_gzip(gzip),
            room: SharedRoom::default(),
        }
    }

    /// The answer to a request with these headers that came from this address.
    pub fn respond(
        &self,
        request: &HeaderMap,
        answers: &AnswerBytes,
        address: IpAddr,
    ) -> Result<Response, NoRoom> {
        let room = self.room.take(answers, address, self.size())?;
        let hold = |bytes: &Bytes| room.share(bytes.clone());
        let mut response = if self.status.is_success() {
            self.content.respond_with(request, hold)
        } else {
            let mut response = self.content.respond_whole(request, hold);
            *response.status_mut() = self.status;
            response
        };
        response.headers_mut().extend(self.headers.clone());
        Ok(response)
    }

    /// How many bytes it holds, but for its headers.
    pub fn size(&self) -> usize {
        self.content.size()
    }
}

/// The document alone. Behind it `leptos_axum` sends what hydrated resources and pages that are still streamed need, of
/// which there are none, in a script with a nonce: each rendering would be another page.
async fn html(page: Document) -> Vec<u8> {
    let view = move || page.clone().view();
    let response = leptos_axum::render_app_async(view)(Request::default()).await;
    let rendered = body::to_bytes(response.into_body(), usize::MAX).await;
    let mut html = Vec::from(rendered.expect("a page is text in memory"));
    if let Some(end) = memmem::rfind(&html, END) {
        html.truncate(end + END.len());
    }
    html
}

/// Quickly rather than well: where people talk, the page is another one soon.
fn compressed(html: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(html)?;
    encoder.finish()
}
