//! The WebSocket of a client.

use std::net::SocketAddr;

use app::event::{ClientCommand, SUBPROTOCOL, ServerEvent};
use app::model::{Seq, UploadId, UploadRef};
use futures::{SinkExt, StreamExt};
use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use tokio_util::task::AbortOnDropHandle;

use super::driver::ClientEvent;

/// "Abnormal closure" and "no status received" (RFC 6455, 7.4.1).
pub const ABNORMAL: u16 = 1006;
const NO_STATUS: u16 = 1005;
/// Commands that may wait to be sent; one more is lost, as on a socket that is about to close.
const MAX_COMMANDS: usize = 64;
/// Receive buffer and segment size of a client that stalls, in bytes, as over Ethernet: the kernels' buffers are then
/// full after 100 kB on a new connection and after 700 kB later, instead of 4 MB over loopback.
const SMALL_RECEIVE_BUFFER: u32 = 4 * 1024;
const SEGMENT: u32 = 1_460;

/// What happens to a socket.
#[derive(Debug)]
pub enum SocketEvent {
    Opened,
    /// `None` when this version does not know the event.
    Frame(Option<ServerEvent>),
    /// It is closed, or could not be opened.
    Closed(u16),
}

/// Whether nothing is read. `None`: the client never stalls.
pub type Stall = Option<watch::Receiver<bool>>;

/// A socket; dropping it ends the connection without a further event.
#[derive(Debug)]
pub struct Socket {
    commands: mpsc::Sender<String>,
    _task: AbortOnDropHandle<()>,
}

impl Socket {
    /// Opens a socket to the node; its events are sent with this number.
    pub fn open(
        node: SocketAddr,
        number: u64,
        events: mpsc::Sender<ClientEvent>,
        stall: Stall,
    ) -> Self {
        let (commands, to_send) = mpsc::channel(MAX_COMMANDS);
        let task = tokio::spawn(async move {
            let code = serve(node, number, &events, to_send, stall).await;
            let closed = SocketEvent::Closed(code.unwrap_or(ABNORMAL));
            // A client that has left needs no event.
            let _ = events.send(ClientEvent::Socket(number, closed)).await;
        });
        Self {
            commands,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// Sends a command. One that cannot be sent is lost with the socket.
    pub fn send(&self, command: &ClientCommand) {
        let frame = serde_json::to_string(command).expect("a command has only what JSON can write");
        let _ = self.commands.try_send(frame);
    }
}

/// The answer to a new socket's watch of what follows this entry, as it is sent.
pub async fn watched(node: SocketAddr, upload: UploadId, after: Seq) -> Result<String, Error> {
    let mut socket = connect(node, false).await?;
    let watch = ClientCommand::Watch {
        upload_id: UploadRef::Id(upload),
        after: Some(after),
        after_id: None,
        viewer: None,
    };
    let watch = serde_json::to_string(&watch).expect("a command has only what JSON can write");
    socket.send(Message::text(watch)).await?;
    loop {
        let frame = socket.next().await.ok_or(Error::ConnectionClosed)??;
        if let Message::Text(frame) = frame
            && matches!(
                serde_json::from_str(&frame),
                Ok(ServerEvent::Watched { .. })
            )
        {
            return Ok(frame.to_string());
        }
    }
}

/// Serves a socket until its close frame, whose code it returns.
async fn serve(
    node: SocketAddr,
    number: u64,
    events: &mpsc::Sender<ClientEvent>,
    mut to_send: mpsc::Receiver<String>,
    mut stall: Stall,
) -> Result<u16, Error> {
    let (mut writer, mut reader) = connect(node, stall.is_some()).await?.split();
    let emit = |event| async move {
        let sent = events.send(ClientEvent::Socket(number, event)).await;
        sent.map_err(|_| Error::AlreadyClosed)
    };
    emit(SocketEvent::Opened).await?;
    let sending = async {
        while let Some(frame) = to_send.recv().await {
            writer.send(Message::text(frame)).await?;
        }
        Ok(NO_STATUS)
    };
    let reading = async {
        loop {
            if let Some(stall) = &mut stall {
                let ended = stall.wait_for(|is_stalled| !is_stalled).await;
                ended.map_err(|_| Error::AlreadyClosed)?;
            }
            match reader.next().await.ok_or(Error::ConnectionClosed)?? {
                // Frames of a later version are no error.
                Message::Text(text) => {
                    emit(SocketEvent::Frame(serde_json::from_str(&text).ok())).await?;
                }
                Message::Close(frame) => {
                    return Ok(frame.map_or(NO_STATUS, |frame| frame.code.into()));
                }
                _ => {}
            }
        }
    };
    tokio::select! {
        read = reading => read,
        sent = sending => sent,
    }
}

async fn connect(node: SocketAddr, stalls: bool) -> Result<WebSocketStream<TcpStream>, Error> {
    let mut request = format!("ws://{node}/api/socket").into_client_request()?;
    let protocol = HeaderValue::from_static(SUBPROTOCOL);
    request
        .headers_mut()
        .insert("sec-websocket-protocol", protocol);
    let socket = TcpSocket::new_v4()?;
    if stalls {
        socket.set_recv_buffer_size(SMALL_RECEIVE_BUFFER)?;
        SockRef::from(&socket).set_tcp_mss(SEGMENT)?;
    }
    let stream = socket.connect(node).await?;
    stream.set_nodelay(true)?;
    Ok(client_async(request, stream).await?.0)
}
