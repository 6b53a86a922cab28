//! The handshake that turns a request into a socket (RFC 6455, 4.2).

use axum::body::Body;
use axum::response::Response;
use headers::{
    Connection, HeaderMapExt, SecWebsocketAccept, SecWebsocketKey, SecWebsocketVersion, Upgrade,
};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use hyper::upgrade::OnUpgrade;

/// A request that can become a socket.
pub struct Handshake {
    key: SecWebsocketKey,
    protocols: Vec<String>,
    upgrade: OnUpgrade,
}

impl Handshake {
    /// The handshake that a request makes, if it makes one.
    pub fn of(parts: &mut Parts) -> Option<Self> {
        let headers = &parts.headers;
        let wanted = parts.method == Method::GET
            && headers.typed_get::<Connection>()?.contains(header::UPGRADE)
            && headers.typed_get::<Upgrade>()? == Upgrade::websocket()
            && headers.typed_get::<SecWebsocketVersion>()? == SecWebsocketVersion::V13;
        let protocols = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
        let protocols = protocols
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|name| name.trim().to_owned())
            .collect();
        let key = headers.typed_get()?;
        let upgrade = parts.extensions.remove()?;
        wanted.then_some(Self {
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
