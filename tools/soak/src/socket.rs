//! The WebSocket of one person.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use app::event::{ClientCommand, SUBPROTOCOL, ServerEvent};
use futures::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{ClientRequestBuilder, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::api::FORWARDED_FOR;

/// How long the node may take for a handshake, or to answer a close frame.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// An open socket. Dropping it ends the connection without a close frame, as when a network or a browser is gone.
#[derive(Debug)]
pub struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Connects as a client at this address. Errors are sentences.
    pub async fn open(node: SocketAddr, address: IpAddr) -> Result<Self, String> {
        let connecting = async {
            let uri = format!("ws://{node}/api/socket").parse()?;
            let request = ClientRequestBuilder::new(uri)
                .with_sub_protocol(SUBPROTOCOL)
                .with_header(FORWARDED_FOR, address.to_string());
            let stream = TcpStream::connect(node).await?;
            stream.set_nodelay(true)?;
            anyhow::Ok(client_async(request, stream).await?.0)
        };
        match timeout(ANSWER_TIMEOUT, connecting).await {
            Ok(socket) => socket
                .map(Self)
                .map_err(|error| format!("opening a socket: {error:#}")),
            Err(_) => Err("a handshake takes too long".to_owned()),
        }
    }

    /// Sends a command.
    pub async fn send(&mut self, command: &ClientCommand) -> Result<(), String> {
        let text = serde_json::to_string(command).map_err(|error| error.to_string())?;
        let sent = self.0.send(Message::text(text)).await;
        sent.map_err(|error| format!("sending on a socket: {error}"))
    }

    /// The next event; `None` for what is no event, as a ping. Nothing is lost when this is dropped. That the node ends
    /// the socket is an error.
    pub async fn next(&mut self) -> Result<Option<ServerEvent>, String> {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text)
                .map(Some)
                .map_err(|error| format!("a frame is no event: {error}")),
            Some(Ok(Message::Close(frame))) => Err(format!("the node closed a socket: {frame:?}")),
            Some(Ok(_)) => Ok(None),
            Some(Err(error)) => Err(format!("reading a socket: {error}")),
            None => Err("a socket ended without a close frame".to_owned()),
        }
    }

    /// Ends it: by a close frame, which the node has to answer, or not politely, by the end of the connection alone.
    pub async fn end(mut self, is_polite: bool) -> Result<(), String> {
        if !is_polite {
            return Ok(());
        }
        let closing = async {
            self.0.close(None).await?;
            while self.0.next().await.transpose()?.is_some() {}
            Ok::<_, tokio_tungstenite::tungstenite::Error>(())
        };
        match timeout(ANSWER_TIMEOUT, closing).await {
            Ok(closed) => closed.map_err(|error| format!("closing a socket: {error}")),
            Err(_) => Err("the node does not close a socket".to_owned()),
        }
    }
}
