//! `GET /api/socket`: the upgrade. What a socket says is the hub's business.

use app::event::SUBPROTOCOL;
use axum::extract::{Request, State};
use axum::response::Response;

use crate::address::Arrival;
use crate::origin::SameOrigin;
use crate::problem::ApiError;
use crate::state::AppState;
use crate::websocket::{Connection, Handshake};

const NO_SOCKET: &str = "This address takes WebSockets of the subprotocol tonesa.v1 only.";

/// Upgrades to a WebSocket of the protocol `tonesa.v1`.
///
/// # Errors
/// 403 for a foreign `Origin`, 400 without the subprotocol, 429 and 503 when there is no place left.
pub async fn upgrade(
    State(node): State<AppState>,
    _: SameOrigin,
    arrival: Arrival,
    request: Request,
) -> Result<Response, ApiError> {
    let (mut parts, _) = request.into_parts();
    let handshake = Handshake::of(&mut parts)
        .filter(|handshake| handshake.offers(SUBPROTOCOL))
        .ok_or_else(|| ApiError::malformed(NO_SOCKET))?;
    let slot = node.sockets.take(arrival.client.counted())?;
    let (response, upgrade) = handshake.accept(SUBPROTOCOL);
    let hub = node.hub.clone();
    node.tasks.spawn(async move {
        // A client that goes away before it has the answer needs no socket.
        let upgraded = upgrade.await.ok().and_then(|it| Connection::of(it).ok());
        if let Some((connection, read)) = upgraded {
            hub.handle_socket(connection, read).await;
        }
        drop(slot);
    });
    Ok(response)
}
