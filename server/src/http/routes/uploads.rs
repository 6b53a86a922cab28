//! Uploading an image, and reading an upload's record.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use app::model::{
    AuthorSecret, Content, Kind, ShortId, Timestamp, UPLOADED_COOKIE, Upload, UploadRef,
};
use axum::Json;
use axum::extract::{FromRef, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tempfile::TempPath;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::Instrument;
use utoipa::ToSchema;

use super::api_description::problems::{Any, OfUpload, OnWrite, WithBody, WithFile};
use super::multipart::{ReceivedUpload, UploadReceiver};
use crate::admission::rate_limit::RateLimits;
use crate::admission::storage_quota::Reservation;
use crate::blob::Blobs;
use crate::config::Config;
use crate::http::accept::{prefers_html, prefers_plain_text};
use crate::http::deadline::{Deadline, no_result_in_time};
use crate::http::error::ApiError;
use crate::http::extract::author::Author;
use crate::http::extract::origin::SameOriginOrShared;
use crate::http::extract::request_info::RequestInfo;
use crate::http::extract::upload_path::UploadPath;
use crate::http::pictures::Pictures;
use crate::http::state::AppState;
use crate::hub::deleting::Deleter;
use crate::image::{DecodePool, Inspected};
use crate::store::{ContentHash, Moderation, Requester, SecretHash, Store};
use crate::{clock, ids};

/// After how long without a result it is checked whether the blob store still answers.
const PUT_CHECK_INTERVAL: Duration = Duration::from_secs(2);
/// How long a blob store may take to answer that check.
const PING_TIMEOUT: Duration = Duration::from_millis(500);
/// How often it is checked before the write is abandoned although the blob store answers: for about a minute.
const MAX_PUT_CHECKS: usize = 30;
/// How many short ids are tried before the store is taken to be faulty: with 62⁸ of them the first one is practically
/// always free.
const MAX_SHORT_ID_ATTEMPTS: usize = 3;
/// How many bytes of an image are read at a time.
const HASH_BUFFER_BYTES: usize = 256 * 1024;

/// How the answer to an upload is written.
#[derive(Debug, Clone, Copy)]
enum Format {
    /// A redirect to the page, for forms in browsers.
    Redirect,
    /// The upload.
    Json,
    /// The link to the page, a line of text, for people at a terminal.
    Text,
}

impl Format {
    fn accepted_by(headers: &HeaderMap) -> Self {
        if prefers_plain_text(headers) {
            Self::Text
        } else if prefers_html(headers) {
            Self::Redirect
        } else {
            Self::Json
        }
    }
}

/// The form of an upload.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "the form is read as it arrives")]
struct UploadForm {
    /// A PNG, JPEG, GIF or WebP.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// In how many seconds the upload expires.
    #[schema(nullable = false, minimum = 60, maximum = 31_536_000)]
    expires_in: Option<u32>,
}

/// `POST /api/uploads`, and `POST /`.
#[utoipa::path(
    post,
    path = "/api/uploads",
    operation_id = "upload",
    summary = "Upload an image",
    description = "Who brings a secret can delete the upload with it; for others the server makes one, `deleteToken`.",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses(
        (
            status = 201,
            description = "The upload; for those who prefer `text/plain`, its link",
            content((Created<'_> = "application/json"), (String = "text/plain")),
            headers(("Location" = String, description = "The page's path"))
        ),
        (status = 303, description = "To the page, for those who prefer `text/html`"),
        Any, OnWrite, WithBody, WithFile,
    ),
    security((), ("secret" = [])),
)]
pub async fn create(
    (_, Author(secret)): (SameOriginOrShared, Author),
    (State(config), State(rate_limits)): (State<Arc<Config>>, State<Arc<RateLimits>>),
    State(decoders): State<DecodePool>,
    State(receiver): State<UploadReceiver>,
    State(publisher): State<Publisher>,
    info: RequestInfo,
    request: Request,
) -> Result<Response, ApiError> {
    let address = info.client.rate_limit_key();
    rate_limits.uploads.take(address).await?;
    // Refused before the body is read.
    let slot = decoders.upload_slot(address)?;
    let format = Format::accepted_by(request.headers());
    // If the client disconnects before the whole file has arrived, it is discarded.
    let ReceivedUpload {
        file,
        expires_in,
        mut storage,
    } = receiver.receive(request).await?;
    let age = age(expires_in, config.limits.max_age_seconds)?;
    let (inspected, image) = decoders.inspect(&slot, file).await?;
    // A repaired image may be larger than what was received.
    storage.grow_to(inspected.size)?;
    // From here on a disconnecting client interrupts nothing: the upload is stored completely or not at all.
    let tasks = publisher.tasks.clone();
    // A form could not show it.
    let needs_token = secret.is_none() && !matches!(format, Format::Redirect);
    let made = needs_token.then(ids::author_secret);
    let owner = secret.or_else(|| made.clone());
    let publishing = async move {
        let _slot = slot;
        publisher
            .publish(inspected, image, age, owner, storage)
            .await
    };
    let publishing = tokio::spawn(tasks.track_future(publishing.in_current_span()));
    let upload = publishing.await.map_err(|_| ApiError::Internal)??;
    Ok(answer(upload, made, format, &info, &config))
}

fn answer(
    upload: Upload,
    token: Option<AuthorSecret>,
    format: Format,
    info: &RequestInfo,
    config: &Config,
) -> Response {
    let page = format!("/u/{}", upload.short_id);
    let delete_token = token.as_ref().map(AuthorSecret::expose);
    let body = match format {
        Format::Redirect => {
            let cookie = uploaded_cookie(upload.short_id, info.https);
            return (CookieJar::new().add(cookie), Redirect::to(&page)).into_response();
        }
        Format::Json => Json(Created {
            upload,
            delete_token,
        })
        .into_response(),
        Format::Text => text(&info.public_origin(config), &upload, delete_token).into_response(),
    };
    (StatusCode::CREATED, [(header::LOCATION, page)], body).into_response()
}

/// The link, and how to delete the upload if that needs a token that was made for it.
fn text(origin: &str, upload: &Upload, delete_token: Option<&str>) -> String {
    let link = format!("{origin}/u/{}\n", upload.short_id);
    let delete = delete_token.map(|token| {
        let address = format!("{origin}/api/uploads/{}", upload.short_id);
        format!("curl -X DELETE -H 'Authorization: Bearer {token}' {address}\n")
    });
    link + &delete.unwrap_or_default()
}

/// The answer to an upload.
#[derive(Serialize, ToSchema)]
struct Created<'a> {
    #[serde(flatten)]
    upload: Upload,
    /// The secret that was made because the request brought none. It is told only here.
    #[serde(rename = "deleteToken", skip_serializing_if = "Option::is_none")]
    delete_token: Option<&'a str>,
}

/// Tells the script of the page that this browser has uploaded the image, for the browser's own list. Unlike something
/// in the address, it is not passed on with the link.
fn uploaded_cookie(short_id: ShortId, https: bool) -> Cookie<'static> {
    Cookie::build((UPLOADED_COOKIE, short_id.to_string()))
        .path(format!("/u/{short_id}"))
        .max_age(time::Duration::MINUTE)
        .same_site(SameSite::Strict)
        .secure(https)
        .build()
}

/// `GET /api/uploads/{id}`.
#[utoipa::path(
    get,
    path = "/api/uploads/{id}",
    operation_id = "showUpload",
    summary = "Read an upload's record",
    params(("id" = UploadRef, Path, description = "The upload, by either form of its id")),
    responses((status = 200, body = Upload, description = "The upload"), Any, OfUpload),
)]
pub async fn show(
    State(store): State<Arc<dyn Store>>,
    UploadPath(id): UploadPath,
) -> Result<Json<Upload>, ApiError> {
    Ok(Json(
        Deadline::start().wait("store", store.upload(id)).await?,
    ))
}

/// Stores checked images as uploads.
#[derive(Clone)]
pub struct Publisher {
    store: Arc<dyn Store>,
    moderation: Arc<dyn Moderation>,
    blobs: Arc<dyn Blobs>,
    deleter: Deleter,
    pictures: Pictures,
    /// Tracks the tasks that must end before the node does.
    tasks: TaskTracker,
}

impl FromRef<AppState> for Publisher {
    fn from_ref(state: &AppState) -> Self {
        Self {
            store: Arc::clone(&state.store),
            moderation: Arc::clone(&state.moderation),
            blobs: Arc::clone(&state.blobs),
            deleter: state.deleter.clone(),
            pictures: state.pictures.clone(),
            tasks: state.tasks.clone(),
        }
    }
}

impl Publisher {
    /// Stores the blob first, then the upload, so that nobody sees an upload without its blob.
    async fn publish(
        &self,
        inspected: Inspected,
        image: TempPath,
        age: Option<u32>,
        owner: Option<AuthorSecret>,
        storage: Reservation,
    ) -> Result<Upload, ApiError> {
        let content = hash(&image).await?;
        self.refuse_blocked(content).await?;
        let short_id = self.free_short_id().await?;
        self.put_blob(short_id, image).await?;
        let upload = new_upload(short_id, inspected, age);
        // An insert without confirmation may have been done, so its blob is not deleted.
        let owner = owner.map(|secret| SecretHash::new(upload.id, &secret));
        let insert = self.store.insert_upload(upload.clone(), owner);
        let inserted = Deadline::start().wait("store", insert).await;
        storage.end(upload.content.size);
        inserted?;
        // It may have been blocked meanwhile: whoever blocks it sees either this upload or this check.
        if let Err(refused) = self.refuse_blocked(content).await {
            let deletion = self.deleter.delete_upload(upload.id, Requester::Admin);
            Deadline::start().wait("store", deletion).await?;
            return Err(refused);
        }
        // The first page that shows it has it, unless it is read at once.
        self.pictures.begin_placeholder(&upload);
        Ok(upload)
    }

    /// Refuses an image that was blocked when it was deleted before.
    async fn refuse_blocked(&self, content: ContentHash) -> Result<(), ApiError> {
        let is_blocked = self.moderation.is_image_blocked(content);
        if Deadline::start().wait("store", is_blocked).await? {
            return Err(ApiError::ImageBlocked);
        }
        Ok(())
    }

    /// Returns an unused short id: a blob must never replace another one.
    async fn free_short_id(&self) -> Result<ShortId, ApiError> {
        let deadline = Deadline::start();
        for _ in 0..MAX_SHORT_ID_ATTEMPTS {
            let short_id = ids::short_id();
            let is_taken = self.store.has_short_id(short_id);
            if !deadline.wait("store", is_taken).await? {
                return Ok(short_id);
            }
        }
        Err(ApiError::Unavailable)
    }

    /// Puts the image into the blob store. A large one may take its time as long as the blob store answers pings; one
    /// that is unavailable is reported within 3 s.
    async fn put_blob(&self, short_id: ShortId, image: TempPath) -> Result<(), ApiError> {
        let blobs = &self.blobs;
        let mut put = blobs.put(short_id, image);
        for _ in 0..MAX_PUT_CHECKS {
            if let Ok(done) = timeout(PUT_CHECK_INTERVAL, &mut put).await {
                return Ok(done?);
            }
            if !matches!(timeout(PING_TIMEOUT, blobs.ping()).await, Ok(Ok(()))) {
                break;
            }
        }
        Err(no_result_in_time("blobs"))
    }
}

fn hash_of_file(file: &Path) -> io::Result<ContentHash> {
    let mut hasher = Sha256::new();
    let mut bytes = BufReader::with_capacity(HASH_BUFFER_BYTES, File::open(file)?);
    loop {
        let piece = bytes.fill_buf()?;
        let length = piece.len();
        if length == 0 {
            return Ok(hasher.into());
        }
        hasher.update(piece);
        bytes.consume(length);
    }
}

async fn hash(image: &Path) -> Result<ContentHash, ApiError> {
    let image = image.to_owned();
    let hashing = spawn_blocking(move || hash_of_file(&image));
    let content = hashing.await.map_err(|_| ApiError::Internal)?;
    content.map_err(|error| {
        tracing::error!(%error, "an upload cannot be read from the temporary folder");
        ApiError::Unavailable
    })
}

/// Returns in how many seconds an upload expires, if it does: as its sender wishes (`wanted`), at most in `max` seconds
/// unless that is 0.
fn age(wanted: Option<u32>, max: u32) -> Result<Option<u32>, ApiError> {
    let max = Some(max).filter(|max| *max > 0);
    match (wanted, max) {
        (Some(wanted), Some(max)) if wanted > max => {
            let detail = format!("expiresIn is at most {max} seconds here");
            Err(ApiError::field("expiresIn", detail))
        }
        (wanted, max) => Ok(wanted.or(max)),
    }
}

fn new_upload(short_id: ShortId, inspected: Inspected, age: Option<u32>) -> Upload {
    let created_at = clock::now();
    let expires_at = age.and_then(|seconds| {
        Timestamp::from_unix_millis(created_at.unix_millis() + 1_000 * i64::from(seconds))
    });
    Upload {
        id: ids::upload_id(),
        short_id,
        kind: Kind::Image,
        content: Content {
            url: format!("/i/{short_id}"),
            media_type: inspected.media_type,
            size: inspected.size,
            width: inspected.width,
            height: inspected.height,
        },
        created_at,
        expires_at,
    }
}
