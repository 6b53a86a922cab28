//! A rendered page, as it is cached and sent.

use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;

use app::Subject;
use app::model::{LogEntry, LogPage, MessageId, Seq, ShortId, Upload, UploadPage};
use app::page_data::{PageError, PageSource};
use app::settings::{Assets, Settings};
use app::texts::Language;
use axum::body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use leptos::nonce::Nonce;
use leptos::prelude::provide_context;

use super::document::Document;
use super::security::{self, OtherOrigins};
use crate::admission::response_budget::{BudgetExceeded, ResponseBudget, SharedReservation};
use crate::http::error::RETRY_AFTER;
use crate::http::pictures::placeholder::Placeholder;
use crate::http::representation::Representation;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const VARY: HeaderValue = HeaderValue::from_static("accept-encoding, accept-language");

/// What the page of an upload shows.
#[derive(Debug, Clone)]
pub(super) struct LoadedPage {
    pub page: UploadPage,
    pub placeholder: Placeholder,
}

/// The data that a page shows.
#[derive(Debug, Clone)]
pub(super) enum PageContent {
    Home,
    /// The page of an upload, or why it cannot be shown.
    Image(Result<LoadedPage, PageError>),
    /// The page for addresses without a page.
    NoPage,
}

impl PageContent {
    /// Returns the version of the data that the page shows.
    pub fn version(&self) -> Option<PageVersion> {
        match self {
            Self::Image(Ok(loaded)) => Some(PageVersion {
                upload: loaded.page.upload.clone(),
                end: LogEnd::from(&loaded.page.page),
                placeholder: loaded.placeholder.clone(),
            }),
            _ => None,
        }
    }

    fn subject(&self) -> Subject<'_> {
        match self {
            Self::Home => Subject::Home,
            Self::Image(Ok(loaded)) => Subject::Image {
                page: &loaded.page,
                placeholder: loaded.placeholder.url(),
            },
            Self::Image(Err(_)) | Self::NoPage => Subject::Nothing,
        }
    }
}

/// Provides the data already loaded.
#[async_trait::async_trait]
impl PageSource for PageContent {
    async fn image_page(&self, _short_id: ShortId) -> Result<UploadPage, PageError> {
        match self {
            Self::Image(loaded) => loaded.clone().map(|loaded| loaded.page),
            Self::Home | Self::NoPage => Err(PageError::NotFound),
        }
    }
}

/// The version of an upload's page. Uploads never change and messages are only appended, so everything that a page
/// shows of an upload follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageVersion {
    pub upload: Upload,
    /// The end of its log.
    pub end: LogEnd,
    pub placeholder: Placeholder,
}

/// The end of a log. After a backup was restored, another entry may have the last number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogEnd {
    /// The last sequence number.
    pub head: Seq,
    /// The id of the entry that has it.
    pub newest: Option<MessageId>,
}

impl From<&LogPage> for LogEnd {
    /// Reads it from the newest page of a log.
    fn from(page: &LogPage) -> Self {
        Self {
            head: page.head,
            newest: page.entries.last().map(LogEntry::id),
        }
    }
}

/// A page that can be sent any number of times.
pub(super) struct RenderedPage {
    /// The version of the data that it shows.
    pub version: Option<PageVersion>,
    status: StatusCode,
    headers: HeaderMap,
    content: Representation,
    /// Reserved while it is being sent to anyone.
    reservation: SharedReservation,
}

impl RenderedPage {
    /// Renders the page. Only the address of the request is used.
    pub async fn render(
        request: Request,
        language: Language,
        assets: Assets,
        settings: Settings,
        content: PageContent,
        origins: OtherOrigins<'_>,
    ) -> Self {
        let version = content.version();
        let may_be_framed = matches!(content, PageContent::Image(Ok(_)));
        let origins = OtherOrigins {
            frame_ancestors: origins.frame_ancestors.filter(|_| may_be_framed),
            ..origins
        };
        // Only this rendering knows it, so that nothing that is injected into the document can have it.
        let nonce = Nonce::new();
        let (status, html) =
            html(request, language, assets, settings, content, nonce.clone()).await;
        let document = Document::new(html, &nonce);
        let mut headers = HeaderMap::from_iter([
            (
                header::CONTENT_LANGUAGE,
                HeaderValue::from_static(language.tag()),
            ),
            (header::VARY, VARY),
        ]);
        let policy = security::content_security_policy(&document.inline, origins);
        // One that is no header would be a mistake of ours: then nothing is allowed.
        let nothing = HeaderValue::from_static("default-src 'none'");
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            policy.parse().unwrap_or(nothing),
        );
        security::set_security_headers(&mut headers);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = HeaderValue::from(RETRY_AFTER.as_secs());
            headers.insert(header::RETRY_AFTER, seconds);
        }
        let html = document.html.into_bytes();
        // If it cannot be compressed, only the plain page is sent.
        let gzip = compressed(&html).ok();
        Self {
            version,
            status,
            headers,
            content: Representation::new(HTML, NO_CACHE, html).with_gzip(gzip),
            reservation: SharedReservation::default(),
        }
    }

    /// Returns the response to a request with these headers from this client address.
    pub fn respond(
        &self,
        request: &HeaderMap,
        budget: &ResponseBudget,
        address: IpAddr,
    ) -> Result<Response, BudgetExceeded> {
        let reservation = self.reservation.reserve(budget, address, self.size())?;
        let hold = |bytes: &Bytes| reservation.share(bytes.clone());
        let mut response = if self.status.is_success() {
            self.content.respond_with(request, hold)
        } else {
            let mut response = self.content.respond_unconditionally(request, hold);
            *response.status_mut() = self.status;
            response
        };
        response.headers_mut().extend(self.headers.clone());
        Ok(response)
    }

    /// Returns how many bytes it takes in memory, without its headers.
    pub fn size(&self) -> usize {
        self.content.size()
    }
}

async fn html(
    request: Request,
    language: Language,
    assets: Assets,
    settings: Settings,
    content: PageContent,
    nonce: Nonce,
) -> (StatusCode, String) {
    let content = Arc::new(content);
    let source: Arc<dyn PageSource> = Arc::<PageContent>::clone(&content);
    let provide = move || {
        provide_context(language);
        provide_context(nonce.clone());
        provide_context(settings.clone());
        provide_context(Arc::clone(&source));
    };
    let document = move || app::shell(&assets, content.subject());
    let response = leptos_axum::render_app_async_with_context(provide, document)(request).await;
    let status = response.status();
    let rendered = body::to_bytes(response.into_body(), usize::MAX).await;
    let rendered = rendered.expect("the body is in memory");
    let html = String::from_utf8(rendered.into()).expect("a page is UTF-8");
    (status, html)
}

/// Compresses fast rather than well: in an active conversation the page soon changes.
fn compressed(html: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(html)?;
    encoder.finish()
}
