//! `GET /api/socket`: the upgrade. What a socket says is the hub's business.

use app::event::SUBPROTOCOL;
use axum::extract::{Request, State};
use axum::response::Response;

use crate::address::Arrival;
use crate::origin::SameOrigin;
use crate::problem::ApiError;
use crate::state::AppState;
use crate::websocket::{Connection, Handshake, NoHandshake};

const NO_SOCKET: &str = "This address takes WebSockets of the subprotocol tonesa.v1 only.";

/// Upgrades to a WebSocket of the protocol `tonesa.v1`.
///
/// # Errors
/// 403 for a page of another site, 400 for no handshake or without the subprotocol, 426 for another version, 429 and 503 when there is no place left.
pub async fn upgrade(
    State(node): State<AppState>,
    _: SameOrigin,
    arrival: Arrival,
    request: Request,
) -> Result<Response, ApiError> {
    let (mut parts, _) = request.into_parts();
    let handshake = Handshake::of(&mut parts).map_err(|no| match no {
        NoHandshake::Malformed => ApiError::malformed(NO_SOCKET),
        NoHandshake::Version => ApiError::OtherVersion,
    })?;
    if !handshake.offers(SUBPROTOCOL) {
        return Err(ApiError::malformed(NO_SOCKET));
    }
    let slot = node.sockets.take(Some(arrival.client.counted()))?;
    let (response, upgrade) = handshake.accept(SUBPROTOCOL);
    let hub = node.hub.clone();
    let misses = node.rate_limits.misses_of(arrival.client);
    node.tasks.spawn(async move {
        // A client that goes away before it has the answer needs no socket.
        let upgraded = upgrade.await.ok().and_then(|it| Connection::of(it).ok());
        if let Some((connection, read)) = upgraded {
            hub.handle_socket(connection, read, misses).await;
        }
        drop(slot);
    });
    Ok(response)
}
