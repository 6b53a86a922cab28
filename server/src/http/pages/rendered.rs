use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;

use app::Subject;
use app::model::{Seq, ShortId, Upload, UploadPage};
use app::page_data::{PageError, PageSource};
use app::settings::{Assets, Settings};
use axum::body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use leptos::prelude::provide_context;

use super::document::Document;
use super::security;
use crate::admission::response_budget::{BudgetExceeded, ResponseBudget, SharedReservation};
use crate::http::error::RETRY_AFTER;
use crate::http::representation::Representation;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// What a page shows, as it was read.
#[derive(Debug, Clone)]
pub(super) enum PageContent {
    /// The home page.
    Home,
    /// An upload, or why it cannot be shown.
    Image(Result<UploadPage, PageError>),
    /// No page is at this address.
    NoPage,
}

impl PageContent {
    /// What of the store the page is about to show.
    pub fn read(&self) -> Option<Read> {
        match self {
            Self::Image(Ok(page)) => Some((page.upload.clone(), page.page.head)),
            _ => None,
        }
    }

    fn subject(&self) -> Subject<'_> {
        match self {
            Self::Home => Subject::Home,
            Self::Image(Ok(page)) => Subject::Image(page),
            Self::Image(Err(_)) | Self::NoPage => Subject::Nothing,
        }
    }
}

/// The app asks for what has been read already.
#[async_trait::async_trait]
impl PageSource for PageContent {
    async fn image_page(&self, _short_id: ShortId) -> Result<UploadPage, PageError> {
        match self {
            Self::Image(page) => page.clone(),
            Self::Home | Self::NoPage => Err(PageError::NotFound),
        }
    }
}

/// Where a conversation stood when it was read. Uploads never change and messages are only added, at the end, so that
/// everything that a page shows of an upload follows from it.
pub(super) type Read = (Upload, Seq);

/// A page that is ready to be sent, however often.
pub(super) struct Page {
    /// What of the store it shows.
    pub read: Option<Read>,
    status: StatusCode,
    headers: HeaderMap,
    content: Representation,
    /// Taken while it is sent to anyone.
    room: SharedReservation,
}

impl Page {
    /// Renders it, as an answer to this request: of which only the address matters.
    pub async fn render(
        request: Request,
        assets: Assets,
        settings: Settings,
        content: PageContent,
        pictures_from: Option<&str>,
    ) -> Self {
        let read = content.read();
        let (status, html) = html(request, assets, settings, content).await;
        let document = Document::new(html);
        let mut headers = HeaderMap::new();
        let policy = security::policy(&document.inline, pictures_from);
        if let Ok(policy) = policy.parse() {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        security::protect(&mut headers);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = HeaderValue::from(RETRY_AFTER.as_secs());
            headers.insert(header::RETRY_AFTER, seconds);
        }
        let html = document.html.into_bytes();
        // A page that cannot be compressed is sent as it is.
        let gzip = compressed(&html).ok();
        Self {
            read,
            status,
            headers,
            content: Representation::new(HTML, NO_CACHE, html).with_gzip(gzip),
            room: SharedReservation::default(),
        }
    }

    /// The answer to a request with these headers that came from this address.
    pub fn respond(
        &self,
        request: &HeaderMap,
        answers: &ResponseBudget,
        address: IpAddr,
    ) -> Result<Response, BudgetExceeded> {
        let room = self.room.reserve(answers, address, self.size())?;
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

async fn html(
    request: Request,
    assets: Assets,
    settings: Settings,
    content: PageContent,
) -> (StatusCode, String) {
    let content = Arc::new(content);
    let source: Arc<dyn PageSource> = Arc::<PageContent>::clone(&content);
    let provide = move || {
        provide_context(settings.clone());
        provide_context(Arc::clone(&source));
    };
    let document = move || app::shell(&assets, content.subject());
    let response = leptos_axum::render_app_async_with_context(provide, document)(request).await;
    let status = response.status();
    let rendered = body::to_bytes(response.into_body(), usize::MAX).await;
    let rendered = rendered.expect("a page is text in memory");
    let html = String::from_utf8(rendered.into()).expect("a page is a text");
    (status, html)
}

/// Quickly rather than well: where people talk, the page is another one soon.
fn compressed(html: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(html)?;
    encoder.finish()
}
