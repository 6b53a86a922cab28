//! `GET /api/socket`: the upgrade to a WebSocket, which the hub then serves.

use std::sync::Arc;

use app::event::SUBPROTOCOL;
use axum::extract::{Request, State};
use axum::response::Response;
use tokio_util::task::TaskTracker;

use crate::admission::address_blocks::AddressBlocks;
use crate::admission::rate_limit::RateLimits;
use crate::admission::slots::Slots;
use crate::http::error::ApiError;
use crate::http::extract::origin::SameOriginOrAllowed;
use crate::http::extract::request_info::RequestInfo;
use crate::http::stream::ClientStream;
use crate::hub::Hub;
use crate::websocket::{Connection, Handshake, HandshakeError};

const INVALID_HANDSHAKE: &str = "This address takes WebSockets of the subprotocol tonesa.v1 only.";

/// Upgrades to a WebSocket of the protocol `tonesa.v1`.
///
/// # Errors
/// 403 for a page of another site and for a blocked address, 400 for an invalid handshake or without the subprotocol,
/// 426 for another version, 429 and 503 when no socket is left.
pub async fn upgrade(
    State(sockets): State<Slots>,
    State(hub): State<Hub>,
    State(rate_limits): State<Arc<RateLimits>>,
    (State(tasks), State(address_blocks)): (State<TaskTracker>, State<AddressBlocks>),
    _: SameOriginOrAllowed,
    info: RequestInfo,
    request: Request,
) -> Result<Response, ApiError> {
    let (mut parts, _) = request.into_parts();
    let handshake = Handshake::from_request(&mut parts).map_err(|no| match no {
        HandshakeError::Malformed => ApiError::malformed(INVALID_HANDSHAKE),
        HandshakeError::Version => ApiError::UnsupportedWebSocketVersion,
    })?;
    if !handshake.offers(SUBPROTOCOL) {
        return Err(ApiError::malformed(INVALID_HANDSHAKE));
    }
    let address = info.client.rate_limit_key();
    if address_blocks.contains(address) {
        return Err(ApiError::AddressBlocked);
    }
    let slot = sockets.take(Some(address))?;
    let (response, upgrade) = handshake.accept(SUBPROTOCOL);
    let misses = rate_limits.misses_of(address);
    tasks.spawn(async move {
        // The client may disconnect before it has the answer.
        let upgraded = upgrade.await.ok();
        let upgraded = upgraded.and_then(|it| ClientStream::into_upgraded(it).ok());
        if let Some((stream, read)) = upgraded {
            let blocked = address_blocks.wait_for(address);
            hub.handle_socket(Connection::from(stream), read, misses, blocked)
                .await;
        }
        drop(slot);
    });
    Ok(response)
}
