//! The handshake that turns a request into a socket (RFC 6455, 4.2).

use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use headers::{Connection, HeaderMapExt, SecWebsocketAccept, SecWebsocketKey, Upgrade};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use hyper::upgrade::OnUpgrade;

/// The version of the protocol.
pub const VERSION: &str = "13";

/// Why a request is not a valid handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandshakeError {
    /// It is not a request for a WebSocket according to the RFC.
    Malformed,
    /// It requests another version than [`VERSION`].
    Version,
}

/// A valid handshake.
pub struct Handshake {
    key: SecWebsocketKey,
    protocols: Vec<String>,
    upgrade: OnUpgrade,
}

impl Handshake {
    /// Checks the request for a valid handshake.
    ///
    /// # Errors
    /// See [`HandshakeError`].
    pub fn from_request(parts: &mut Parts) -> Result<Self, HandshakeError> {
        let headers = &parts.headers;
        let is_upgrade = parts.method == Method::GET
            && has_token(headers, header::CONNECTION, "upgrade")
            && has_token(headers, header::UPGRADE, "websocket");
        let key = parse_key(headers).filter(|_| is_upgrade);
        let key = key.ok_or(HandshakeError::Malformed)?;
        if single_value(headers, header::SEC_WEBSOCKET_VERSION) != Some(VERSION) {
            return Err(HandshakeError::Version);
        }
        let protocols = list_items(headers, header::SEC_WEBSOCKET_PROTOCOL);
        let protocols = protocols.map(str::to_owned).collect();
        let upgrade = parts.extensions.remove().ok_or(HandshakeError::Malformed)?;
        Ok(Self {
            key,
            protocols,
            upgrade,
        })
    }

    /// Whether the client offers this subprotocol.
    pub fn offers(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|offered| offered == protocol)
    }

    /// Returns the accepting response with this subprotocol, and the future of the upgraded connection.
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

/// Parses the key, which is 16 bytes in base64.
fn parse_key(headers: &HeaderMap) -> Option<SecWebsocketKey> {
    let bytes = BASE64.decode(single_value(headers, header::SEC_WEBSOCKET_KEY)?);
    Some(<[u8; 16]>::try_from(bytes.ok()?).ok()?.into())
}

/// The value of a header that is present exactly once.
fn single_value(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value.trim())
}

/// Whether a list header contains this token, ignoring case.
fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    list_items(headers, name).any(|item| item.eq_ignore_ascii_case(token))
}

/// The items of a list header.
fn list_items(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}
