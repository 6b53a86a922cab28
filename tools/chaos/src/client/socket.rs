//! The WebSocket of a client.

use std::net::SocketAddr;

use app::event::{ClientCommand, SUBPROTOCOL, ServerEvent};
use futures::stream::SplitStream;
use futures::{SinkExt, StreamExt};
use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use tokio_util::task::AbortOnDropHandle;

use super::shell::Happening;

/// "Abnormal closure" and "no status received" (RFC 6455, 7.4.1).
const ABNORMAL: u16 = 1006;
const NO_STATUS: u16 = 1005;
/// Commands that may wait to be sent; one more is lost, as on a socket that is about to close.
const MOST_COMMANDS: usize = 64;
/// Room to receive of a client that stalls, and the segments that it takes, in bytes: as over Ethernet. What the kernels
/// hold for it is then full after 100 kB when the connection is new, and after 700 kB later; over the loopback device as
/// it is, it would take 4 MB.
const LITTLE_ROOM: u32 = 4 * 1024;
const SEGMENT: u32 = 1_460;

/// What a socket tells.
#[derive(Debug)]
pub enum SocketEvent {
    /// It is open.
    Opened,
    /// An event; `None` when this version does not know it.
    Frame(Option<ServerEvent>),
    /// It is closed, or could not be opened.
    Closed(u16),
}

/// Until when nothing is read. `None`: the client never stalls.
pub type Slowness = Option<watch::Receiver<Instant>>;

type WebSocket = WebSocketStream<TcpStream>;

/// A socket; dropping it ends the connection, and nothing is heard of it afterwards.
#[derive(Debug)]
pub struct Socket {
    commands: mpsc::Sender<String>,
    _task: AbortOnDropHandle<()>,
}

impl Socket {
    /// Opens a socket to the node; what happens to it is told under this number.
    pub fn open(
        node: SocketAddr,
        number: u64,
        tell: mpsc::Sender<Happening>,
        slowness: Slowness,
    ) -> Self {
        let (commands, to_send) = mpsc::channel(MOST_COMMANDS);
        let task = tokio::spawn(async move {
            let code = serve(node, number, &tell, to_send, slowness).await;
            let closed = SocketEvent::Closed(code.unwrap_or(ABNORMAL));
            // Whoever does not listen any more has no use for it.
            let _ = tell.send(Happening::Socket(number, closed)).await;
        });
        Self {
            commands,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// Sends a command. One that cannot be sent is lost with the socket, whose closing is told.
    pub fn tell(&self, command: &ClientCommand) {
        let frame = serde_json::to_string(command).expect("a command has only what JSON can write");
        let _ = self.commands.try_send(frame);
    }
}

/// Serves a socket until it ends; the code of its close frame.
async fn serve(
    node: SocketAddr,
    number: u64,
    tell: &mpsc::Sender<Happening>,
    mut to_send: mpsc::Receiver<String>,
    slowness: Slowness,
) -> Result<u16, Error> {
    let (mut writer, reader) = connect(node, slowness.is_some()).await?.split();
    let told = |event| async move {
        let told = tell.send(Happening::Socket(number, event)).await;
        told.map_err(|_| Error::AlreadyClosed)
    };
    told(SocketEvent::Opened).await?;
    let sending = async {
        while let Some(frame) = to_send.recv().await {
            writer.send(Message::text(frame)).await?;
        }
        Ok(NO_STATUS)
    };
    tokio::select! {
        read = read(reader, slowness, told) => read,
        sent = sending => sent,
    }
}

/// Tells every event until the close frame, whose code it answers.
async fn read<T: Future<Output = Result<(), Error>>>(
    mut reader: SplitStream<WebSocket>,
    mut slowness: Slowness,
    tell: impl Fn(SocketEvent) -> T,
) -> Result<u16, Error> {
    loop {
        if let Some(until) = &mut slowness {
            wait(until).await;
        }
        match reader.next().await.ok_or(Error::ConnectionClosed)?? {
            // Frames of a later version are no error.
            Message::Text(text) => {
                tell(SocketEvent::Frame(serde_json::from_str(&text).ok())).await?;
            }
            Message::Close(frame) => return Ok(frame.map_or(NO_STATUS, |frame| frame.code.into())),
            _ => {}
        }
    }
}

/// Waits until the moment that was set, which may be set to an earlier one meanwhile.
async fn wait(until: &mut watch::Receiver<Instant>) {
    loop {
        let moment = *until.borrow_and_update();
        tokio::select! {
            () = sleep_until(moment) => return,
            changed = until.changed() => if changed.is_err() { return },
        }
    }
}

async fn connect(node: SocketAddr, stalls: bool) -> Result<WebSocket, Error> {
    let mut request = format!("ws://{node}/api/socket").into_client_request()?;
    let protocol = HeaderValue::from_static(SUBPROTOCOL);
    request
        .headers_mut()
        .insert("sec-websocket-protocol", protocol);
    let socket = TcpSocket::new_v4()?;
    if stalls {
        socket.set_recv_buffer_size(LITTLE_ROOM)?;
        SockRef::from(&socket).set_tcp_mss(SEGMENT)?;
    }
    let stream = socket.connect(node).await?;
    stream.set_nodelay(true)?;
    let (socket, _) = client_async(request, stream).await?;
    Ok(socket)
}
