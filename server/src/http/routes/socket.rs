//! `GET /api/socket`: the upgrade. What a socket says is the hub's business.

use std::sync::Arc;

use app::event::SUBPROTOCOL;
use axum::extract::{Request, State};
use axum::response::Response;
use tokio_util::task::TaskTracker;

use crate::admission::rate_limit::RateLimits;
use crate::admission::slots::Slots;
use crate::http::error::ApiError;
use crate::http::extract::client_address::Arrival;
use crate::http::extract::origin::SameOrigin;
use crate::http::stream::Accepted;
use crate::hub::Hub;
use crate::websocket::{Connection, Handshake, HandshakeError};

const NO_SOCKET: &str = "This address takes WebSockets of the subprotocol tonesa.v1 only.";

/// Upgrades to a WebSocket of the protocol `tonesa.v1`.
///
/// # Errors
/// 403 for a page of another site, 400 for no handshake or without the subprotocol, 426 for another version, 429 and 503 when there is no place left.
pub async fn upgrade(
    State(sockets): State<Slots>,
    State(hub): State<Hub>,
    State(rate_limits): State<Arc<RateLimits>>,
    State(tasks): State<TaskTracker>,
    _: SameOrigin,
    arrival: Arrival,
    request: Request,
) -> Result<Response, ApiError> {
    let (mut parts, _) = request.into_parts();
    let handshake = Handshake::from_request(&mut parts).map_err(|no| match no {
        HandshakeError::Malformed => ApiError::malformed(NO_SOCKET),
        HandshakeError::Version => ApiError::OtherVersion,
    })?;
    if !handshake.offers(SUBPROTOCOL) {
        return Err(ApiError::malformed(NO_SOCKET));
    }
    let slot = sockets.take(Some(arrival.client.counted()))?;
    let (response, upgrade) = handshake.accept(SUBPROTOCOL);
    let misses = rate_limits.misses_of(arrival.client.counted());
    tasks.spawn(async move {
        // A client that goes away before it has the answer needs no socket.
        let upgraded = upgrade.await.ok();
        let upgraded = upgraded.and_then(|it| Accepted::of_upgraded(it).ok());
        if let Some((stream, read)) = upgraded {
            hub.handle_socket(Connection::from(stream), read, misses)
                .await;
        }
        drop(slot);
    });
    Ok(response)
}
