//! The file by which ShareX, a program for screenshots, uploads to this node (getsharex.com/docs/custom-uploader).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_DISPOSITION;
use serde_json::json;

use crate::config::Config;
use crate::http::extract::request_info::RequestInfo;

/// The first version that knows the placeholders in braces.
const SHAREX_VERSION: &str = "14.0.0";

/// `GET /sharex.sxcu`: a download that ShareX opens.
pub async fn show(State(config): State<Arc<Config>>, info: RequestInfo) -> Response {
    let origin = info.public_origin(&config);
    let uploader = json!({
        "Version": SHAREX_VERSION,
        "Name": "Tonesa",
        "DestinationType": "ImageUploader",
        "RequestMethod": "POST",
        "RequestURL": format!("{origin}/api/uploads"),
        "Headers": {"Accept": "application/json"},
        "Body": "MultipartFormData",
        "FileFormName": "file",
        "URL": format!("{origin}/u/{{json:shortID}}"),
        "ErrorMessage": "{json:detail}",
    });
    let download = [(CONTENT_DISPOSITION, "attachment; filename=\"tonesa.sxcu\"")];
    (download, Json(uploader)).into_response()
}
