//! Uploading a picture, and reading what is known of it.

use std::time::Duration;

use app::model::{Content, Kind, ShortId, Upload};
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{StatusCode, header};
use tempfile::TempPath;
use tokio::time::timeout;
use tracing::Instrument;

use super::extract::Named;
use super::multipart;
use crate::address::Arrival;
use crate::deadline::Deadline;
use crate::image::Inspected;
use crate::origin::SameOrigin;
use crate::problem::{ApiError, prefers_html};
use crate::state::{AppState, Node};
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
    State(node): State<AppState>,
    arrival: Arrival,
    request: Request,
) -> Result<Response, ApiError> {
    let address = arrival.client.counted();
    node.rate_limits.uploads.take(address)?;
    // Whoever has no place is told before the body is read.
    let place = node.decoders.place(address)?;
    let is_form = prefers_html(request.headers());
    let limit = node.config.limits.upload_bytes;
    let file = multipart::receive(request, &node.backends.temp_dir, limit).await?;
    // A client that goes away before its file is whole takes it along.
    let (inspected, picture) = node.decoders.inspect(&place, file).await?;
    // It belongs to the node from here on: a client that goes away leaves an upload that is whole or none.
    let (tasks, node) = (node.tasks.clone(), node.clone());
    let publishing = async move {
        let _place = place;
        publish(&node, inspected, picture).await
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
    State(node): State<AppState>,
    Named(id): Named,
) -> Result<Json<Upload>, ApiError> {
    let upload = node.backends.store.upload(id);
    Ok(Json(Deadline::start().wait("store", upload).await?))
}

/// Makes a checked picture an upload: the blob first, then the document, so that nobody sees one without the other.
async fn publish(node: &Node, inspected: Inspected, picture: TempPath) -> Result<Upload, ApiError> {
    let short_id = free_short_id(node).await?;
    keep(node, short_id, picture).await?;
    let upload = describe(short_id, inspected);
    // Whether a document is there that did not get confirmed in time is not known: its blob stays.
    let insert = node.backends.store.insert_upload(upload.clone());
    Deadline::start().wait("store", insert).await?;
    Ok(upload)
}

/// A short id under which there is nothing yet: a blob must never replace another one.
async fn free_short_id(node: &Node) -> Result<ShortId, ApiError> {
    let deadline = Deadline::start();
    for _ in 0..MAX_SHORT_IDS {
        let short_id = ids::short_id();
        let is_taken = node.backends.store.has_short_id(short_id);
        if !deadline.wait("store", is_taken).await? {
            return Ok(short_id);
        }
    }
    Err(ApiError::Unavailable)
}

/// Puts the picture into the blob store. A large one may take its time as long as the store answers; one that is away
/// is told within 3 s.
async fn keep(node: &Node, short_id: ShortId, picture: TempPath) -> Result<(), ApiError> {
    let blobs = &node.backends.blobs;
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
