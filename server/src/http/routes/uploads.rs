//! Uploading a picture, and reading what is known of it.

use std::sync::Arc;
use std::time::Duration;

use app::model::{Content, Kind, ShortId, Upload};
use axum::Json;
use axum::extract::{FromRef, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{StatusCode, header};
use tempfile::TempPath;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::multipart::UploadReceiver;
use crate::admission::rate_limit::RateLimits;
use crate::blob::Blobs;
use crate::http::accept::prefers_html;
use crate::http::deadline::Deadline;
use crate::http::error::ApiError;
use crate::http::extract::client_address::Arrival;
use crate::http::extract::origin::SameOrigin;
use crate::http::extract::upload_path::Named;
use crate::http::state::AppState;
use crate::image::{DecodePool, Inspected};
use crate::store::Store;
use crate::{clock, ids};

/// After how long a blob store that is still writing has to show that it answers at all.
const DOUBT: Duration = Duration::from_secs(2);
/// How long it may take to show that.
const PROOF: Duration = Duration::from_millis(500);
/// Doubts after which a blob is given up although its store answers: a minute or so.
const MAX_DOUBTS: usize = 30;
/// Short ids tried before the store is not believed any more: with 62⁸ of them one is practically always free.
const MAX_SHORT_IDS: usize = 3;

/// `POST /api/uploads`.
pub async fn create(
    _: SameOrigin,
    State(rate_limits): State<Arc<RateLimits>>,
    State(decoders): State<DecodePool>,
    State(receiver): State<UploadReceiver>,
    State(publisher): State<Publisher>,
    arrival: Arrival,
    request: Request,
) -> Result<Response, ApiError> {
    let address = arrival.client.counted();
    rate_limits.uploads.take(address)?;
    // Whoever has no place is told before the body is read.
    let place = decoders.place(address)?;
    let is_form = prefers_html(request.headers());
    let file = receiver.receive(request).await?;
    // A client that goes away before its file is whole takes it along.
    let (inspected, picture) = decoders.inspect(&place, file).await?;
    // It belongs to the node from here on: a client that goes away leaves an upload that is whole or none.
    let tasks = publisher.tasks.clone();
    let publishing = async move {
        let _place = place;
        publisher.publish(inspected, picture).await
    };
    let publishing = tokio::spawn(tasks.track_future(publishing.in_current_span()));
    let upload = publishing.await.map_err(|_| ApiError::Internal)??;
    let page = format!("/u/{}", upload.short_id);
    if is_form {
        return Ok(Redirect::to(&page).into_response());
    }
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, page)],
        Json(upload),
    )
        .into_response())
}

/// `GET /api/uploads/{id}`.
pub async fn show(
    State(store): State<Arc<dyn Store>>,
    Named(id): Named,
) -> Result<Json<Upload>, ApiError> {
    Ok(Json(
        Deadline::start().wait("store", store.upload(id)).await?,
    ))
}

/// Makes pictures uploads.
#[derive(Clone)]
pub struct Publisher {
    store: Arc<dyn Store>,
    blobs: Arc<dyn Blobs>,
    /// What it began is done before the node ends.
    tasks: TaskTracker,
}

impl FromRef<AppState> for Publisher {
    fn from_ref(node: &AppState) -> Self {
        Self {
            store: Arc::clone(&node.store),
            blobs: Arc::clone(&node.blobs),
            tasks: node.tasks.clone(),
        }
    }
}

impl Publisher {
    /// Makes a checked picture an upload: the blob first, then the document, so that nobody sees one without the other.
    async fn publish(&self, inspected: Inspected, picture: TempPath) -> Result<Upload, ApiError> {
        let short_id = self.free_short_id().await?;
        self.keep(short_id, picture).await?;
        let upload = describe(short_id, inspected);
        // Whether a document is there that did not get confirmed in time is not known: its blob stays.
        let insert = self.store.insert_upload(upload.clone());
        Deadline::start().wait("store", insert).await?;
        Ok(upload)
    }

    /// A short id under which there is nothing yet: a blob must never replace another one.
    async fn free_short_id(&self) -> Result<ShortId, ApiError> {
        let deadline = Deadline::start();
        for _ in 0..MAX_SHORT_IDS {
            let short_id = ids::short_id();
            let is_taken = self.store.has_short_id(short_id);
            if !deadline.wait("store", is_taken).await? {
                return Ok(short_id);
            }
        }
        Err(ApiError::Unavailable)
    }

    /// Puts the picture into the blob store. A large one may take its time as long as the store answers; one that is away
    /// is told within 3 s.
    async fn keep(&self, short_id: ShortId, picture: TempPath) -> Result<(), ApiError> {
        let blobs = &self.blobs;
        let mut put = blobs.put(short_id, picture);
        for _ in 0..MAX_DOUBTS {
            if let Ok(done) = timeout(DOUBT, &mut put).await {
                return Ok(done?);
            }
            if !matches!(timeout(PROOF, blobs.ping()).await, Ok(Ok(()))) {
                break;
            }
        }
        tracing::warn!(backend = "blobs", "no answer in time");
        Err(ApiError::Unavailable)
    }
}

fn describe(short_id: ShortId, inspected: Inspected) -> Upload {
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
        created_at: clock::now(),
    }
}
