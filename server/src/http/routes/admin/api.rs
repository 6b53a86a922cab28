//! `/api/admin`, for programs that bring the token.

use std::net::IpAddr;
use std::sync::Arc;

use app::model::{BlockedAddresses, MessageId, UploadId, UploadRef, UploadsPage};
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use axum::routing::{delete, get, put};
use axum::{Json, Router};
use http::{HeaderValue, StatusCode, header};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use super::actions::{Actions, MAX_LIST_BYTES};
use crate::admission::response_budget::ResponseBudget;
use crate::http::deadline::Deadline;
use crate::http::error::ApiError;
use crate::http::extract::admin::Admin;
use crate::http::extract::upload_path::UploadPath;
use crate::http::routes::api_description::problems::{Any, ForAdmin, OfUpload, OutOfBounds};
use crate::http::routes::deletions::{Parameters, message_ref};
use crate::http::state::AppState;
use crate::store::{Store, UploadFilter};

/// An address, for the description of the API.
struct Address;

impl PartialSchema for Address {
    fn schema() -> RefOr<Schema> {
        let [ipv4, ipv6] = ["ipv4", "ipv6"].map(|format| {
            let text = ObjectBuilder::new().schema_type(Type::String);
            text.format(Some(SchemaFormat::Custom(format.to_owned())))
        });
        AnyOfBuilder::new().item(ipv4).item(ipv6).into()
    }
}

impl ToSchema for Address {}

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/admin/uploads", get(list))
        .route("/api/admin/uploads/{id}", delete(delete_upload))
        .route("/api/admin/uploads/{id}/reports", delete(dismiss_reports))
        .route(
            "/api/admin/uploads/{id}/messages/{seq}",
            delete(delete_message),
        )
        .route("/api/admin/blocked-addresses", get(blocked_addresses))
        .route(
            "/api/admin/blocked-addresses/{address}",
            put(block_address).delete(unblock_address),
        )
}

#[utoipa::path(
    get,
    path = "/api/admin/uploads",
    operation_id = "adminListUploads",
    summary = "List the uploads, the newest first",
    params(
        ("reported" = Option<u8>, Query, minimum = 0, maximum = 1, description = "1: only those with reports"),
        ("before" = Option<UploadId>, Query, description = "Only those that are older than this one: what `next` said"),
    ),
    responses((status = 200, body = UploadsPage, description = "At most 50 uploads"), Any, ForAdmin, OutOfBounds),
    security(("adminToken" = [])),
)]
pub(in crate::http::routes) async fn list(
    Admin { client }: Admin,
    State(actions): State<Actions>,
    State(budget): State<ResponseBudget>,
    Query(query): Query<Parameters>,
) -> Result<impl IntoResponse, ApiError> {
    let filter = if switch(&query, "reported")? {
        UploadFilter::Reported
    } else {
        UploadFilter::All
    };
    let before = before(&query)?;
    let reservation = budget.reserve(client.rate_limit_key(), MAX_LIST_BYTES)?;
    let page = actions.list(client, filter, before).await?;
    let json = serde_json::to_vec(&page).map_err(|_| ApiError::Internal)?;
    let json_type = HeaderValue::from_static("application/json");
    let headers = [(header::CONTENT_TYPE, json_type)];
    Ok((headers, reservation.hold_exactly(json)))
}

#[utoipa::path(
    delete,
    path = "/api/admin/uploads/{id}",
    operation_id = "adminDeleteUpload",
    summary = "Delete an upload",
    params(
        ("id" = UploadRef, Path, description = "The upload, by either form of its id"),
        ("block" = Option<u8>, Query, minimum = 0, maximum = 1, description = "1: the image is refused from then on"),
    ),
    responses((status = 204, description = "It is deleted"), Any, OfUpload, ForAdmin, OutOfBounds),
    security(("adminToken" = [])),
)]
pub(in crate::http::routes) async fn delete_upload(
    Admin { client }: Admin,
    State(actions): State<Actions>,
    UploadPath(name): UploadPath,
    Query(query): Query<Parameters>,
) -> Result<StatusCode, ApiError> {
    let block = switch(&query, "block")?;
    actions.delete_upload(client, name, block).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    delete,
    path = "/api/admin/uploads/{id}/reports",
    operation_id = "adminDismissReports",
    summary = "Remove an upload's reports",
    params(("id" = UploadRef, Path, description = "The upload, by either form of its id")),
    responses((status = 204, description = "They are removed"), Any, OfUpload, ForAdmin),
    security(("adminToken" = [])),
)]
pub(in crate::http::routes) async fn dismiss_reports(
    Admin { client }: Admin,
    State(actions): State<Actions>,
    State(store): State<Arc<dyn Store>>,
    path: UploadPath,
) -> Result<StatusCode, ApiError> {
    let id = path.id(store.as_ref(), Deadline::start()).await?;
    actions.dismiss_reports(client, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    delete,
    path = "/api/admin/uploads/{id}/messages/{seq}",
    operation_id = "adminDeleteMessage",
    summary = "Delete a message",
    params(
        ("id" = UploadRef, Path, description = "The upload, by either form of its id"),
        ("seq" = u64, Path, minimum = 1, maximum = 9_007_199_254_740_991_u64, description = "The message's number"),
        ("id" = Option<MessageId>, Query, description = "The message's id: another message with that number is kept"),
    ),
    responses((status = 204, description = "It is deleted"), Any, OfUpload, ForAdmin, OutOfBounds),
    security(("adminToken" = [])),
)]
pub(in crate::http::routes) async fn delete_message(
    Admin { client }: Admin,
    State(actions): State<Actions>,
    State(store): State<Arc<dyn Store>>,
    path: UploadPath,
    (Path((_, seq)), Query(query)): (Path<(String, String)>, Query<Parameters>),
) -> Result<StatusCode, ApiError> {
    let message = message_ref(&seq, &query)?;
    let id = path.id(store.as_ref(), Deadline::start()).await?;
    actions.delete_message(client, id, message).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    get,
    path = "/api/admin/blocked-addresses",
    operation_id = "adminListBlockedAddresses",
    summary = "List the addresses that are blocked",
    responses((status = 200, body = BlockedAddresses, description = "The addresses"), Any, ForAdmin),
    security(("adminToken" = [])),
)]
pub(in crate::http::routes) async fn blocked_addresses(
    _: Admin,
    State(actions): State<Actions>,
) -> Result<Json<BlockedAddresses>, ApiError> {
    let addresses = actions.blocked_addresses().await?;
    Ok(Json(BlockedAddresses { addresses }))
}

#[utoipa::path(
    put,
    path = "/api/admin/blocked-addresses/{address}",
    operation_id = "adminBlockAddress",
    summary = "Block an address",
    params(
        ("address" = inline(Address), Path, description = "An IPv4 or IPv6 address"),
        ("seconds" = u32, Query, minimum = 60, maximum = 31_536_000, description = "For how long"),
    ),
    responses((status = 204, description = "Nothing is taken from it"), Any, ForAdmin, OutOfBounds),
    security(("adminToken" = [])),
)]
pub(in crate::http::routes) async fn block_address(
    Admin { client }: Admin,
    State(actions): State<Actions>,
    Path(address): Path<String>,
    Query(query): Query<Parameters>,
) -> Result<StatusCode, ApiError> {
    let address = parse_address(&address)?;
    let seconds = parse_seconds(value(&query, "seconds").unwrap_or_default())?;
    actions
        .block_address(client, address, Some(seconds))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    delete,
    path = "/api/admin/blocked-addresses/{address}",
    operation_id = "adminUnblockAddress",
    summary = "Unblock an address",
    params(("address" = inline(Address), Path, description = "An IPv4 or IPv6 address")),
    responses((status = 204, description = "It is not blocked any more"), Any, ForAdmin, OutOfBounds),
    security(("adminToken" = [])),
)]
pub(in crate::http::routes) async fn unblock_address(
    Admin { client }: Admin,
    State(actions): State<Actions>,
    Path(address): Path<String>,
) -> Result<StatusCode, ApiError> {
    let address = parse_address(&address)?;
    actions.block_address(client, address, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn parse_address(text: &str) -> Result<IpAddr, ApiError> {
    let address = text.trim().parse();
    address.map_err(|_| ApiError::field("address", "an IP address, as 192.0.2.7 or 2001:db8::7"))
}

pub(super) fn parse_seconds(text: &str) -> Result<u32, ApiError> {
    let seconds = text.parse();
    seconds.map_err(|_| ApiError::field("seconds", "a number of seconds"))
}

/// Parses where a page of uploads begins.
pub(super) fn before(query: &Parameters) -> Result<Option<UploadId>, ApiError> {
    let before = value(query, "before").map(str::parse).transpose();
    before.map_err(|error| ApiError::field("before", error))
}

pub(super) fn switch(query: &Parameters, name: &'static str) -> Result<bool, ApiError> {
    match value(query, name) {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(_) => Err(ApiError::field(name, "1 or 0")),
    }
}

pub(super) fn value<'q>(query: &'q Parameters, name: &str) -> Option<&'q str> {
    let given = query.iter().find(|(given, _)| given == name);
    given.map(|(_, value)| value.as_str())
}
