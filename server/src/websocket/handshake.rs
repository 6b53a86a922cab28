//! The handshake that turns a request into a socket (RFC 6455, 4.2).

use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use headers::{Connection, HeaderMapExt, SecWebsocketAccept, SecWebsocketKey, Upgrade};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use hyper::upgrade::OnUpgrade;

/// The one version of the protocol that there is.
pub const VERSION: &str = "13";

/// Why a request is no handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoHandshake {
    /// It asks for no WebSocket, or not as the RFC says.
    Malformed,
    /// It asks for another version than [`VERSION`].
    Version,
}

/// A request that can become a socket.
pub struct Handshake {
    key: SecWebsocketKey,
    protocols: Vec<String>,
    upgrade: OnUpgrade,
}

impl Handshake {
    /// The handshake that a request makes.
    ///
    /// # Errors
    /// [`NoHandshake`].
    pub fn of(parts: &mut Parts) -> Result<Self, NoHandshake> {
        let headers = &parts.headers;
        let is_asked_for = parts.method == Method::GET
            && lists(headers, header::CONNECTION, "upgrade")
            && lists(headers, header::UPGRADE, "websocket");
        let key = key_of(headers).filter(|_| is_asked_for);
        let key = key.ok_or(NoHandshake::Malformed)?;
        if only(headers, header::SEC_WEBSOCKET_VERSION) != Some(VERSION) {
            return Err(NoHandshake::Version);
        }
        let protocols = items(headers, header::SEC_WEBSOCKET_PROTOCOL);
        let protocols = protocols.map(str::to_owned).collect();
        let upgrade = parts.extensions.remove().ok_or(NoHandshake::Malformed)?;
        Ok(Self {
            key,
            protocols,
            upgrade,
        })
    }

    /// Whether the client speaks this subprotocol.
    pub fn offers(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|offered| offered == protocol)
    }

    /// The answer that agrees, in this subprotocol, and what becomes the connection once it is sent.
    pub fn accept(self, protocol: &'static str) -> (Response, OnUpgrade) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.typed_insert(Connection::upgrade());
        headers.typed_insert(Upgrade::websocket());
        headers.typed_insert(SecWebsocketAccept::from(self.key));
        headers.insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(protocol),
        );
        (response, self.upgrade)
    }
}

/// The key, which is 16 bytes in base64.
fn key_of(headers: &HeaderMap) -> Option<SecWebsocketKey> {
    let bytes = BASE64.decode(only(headers, header::SEC_WEBSOCKET_KEY)?);
    Some(<[u8; 16]>::try_from(bytes.ok()?).ok()?.into())
}

/// The value of a header that is there once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value.trim())
}

/// Whether a list header holds this token, in any case of letters.
fn lists(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    items(headers, name).any(|item| item.eq_ignore_ascii_case(token))
}

/// The items of a list header.
fn items(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}
