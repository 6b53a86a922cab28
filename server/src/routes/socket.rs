//! `GET /api/socket`: the upgrade. What a socket says is the hub's business.

use app::event::{MAX_COMMAND_BYTES, SUBPROTOCOL};
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::Response;

use crate::address::Arrival;
use crate::origin::SameOrigin;
use crate::problem::ApiError;
use crate::state::AppState;

/// Bytes of read buffer per socket: commands are small, and idle sockets are many.
const READ_BUFFER: usize = 2 * 1024;
/// Bytes after which frames are handed to the kernel before the flush at their end.
const WRITE_BUFFER: usize = 16 * 1024;
/// Bytes that may wait in a socket's write buffer; a write that finds no room fails and ends the socket. Room for the
/// largest frame (a `watched` with its messages) behind a full buffer.
const MAX_WRITE_BUFFER: usize = 512 * 1024;

const NO_SOCKET: &str = "This address takes WebSockets of the subprotocol tonesa.v1 only.";

/// Upgrades to a WebSocket of the protocol `tonesa.v1`.
///
/// # Errors
/// 403 for a foreign `Origin`, 400 without the subprotocol, 429 and 503 when there is no place left.
pub async fn upgrade(
    State(node): State<AppState>,
    _: SameOrigin,
    arrival: Arrival,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|_| ApiError::malformed(NO_SOCKET))?;
    let upgrade = upgrade.protocols([SUBPROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return Err(ApiError::malformed(NO_SOCKET));
    }
    let slot = node.sockets.take(arrival.client.counted())?;
    let hub = node.hub.clone();
    Ok(upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(MAX_COMMAND_BYTES)
        .max_frame_size(MAX_COMMAND_BYTES)
        .on_upgrade(async move |socket| {
            hub.handle_socket(socket).await;
            drop(slot);
        }))
}
