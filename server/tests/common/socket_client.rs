//! A WebSocket client for tests.

use std::time::Duration;

use app::event::{ClientCommand, Refusal, SUBPROTOCOL, ServerEvent};
use app::model::{LogEntry, Message, Person, Point, Seq, UploadRef, Viewer};
use futures::{SinkExt, StreamExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message as WsMessage};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};

/// The time limit for a frame, generous for a busy machine.
const FRAME_TIMEOUT: Duration = Duration::from_secs(10);

pub struct SocketClient(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl SocketClient {
    /// Connects to the node at `base` (`http://…`).
    pub async fn connect(base: &str) -> Self {
        Self::try_connect(base, &[])
            .await
            .expect("the node accepts the socket")
    }

    /// Connects with a small receive buffer, so that frames are soon queued for a client that does not read.
    pub async fn connect_with_small_buffer(base: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(8 * 1024).unwrap();
        let address = base.strip_prefix("http://").unwrap().parse().unwrap();
        let stream = socket.connect(address).await.unwrap();
        let (socket, _) = client_async(request(base, &[]).unwrap(), MaybeTlsStream::Plain(stream))
            .await
            .expect("the node accepts the socket");
        Self(socket)
    }

    /// Connects with these headers beside the subprotocol.
    pub async fn try_connect(base: &str, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let (socket, _) = connect_async(request(base, headers)?).await?;
        Ok(Self(socket))
    }

    pub async fn send(&mut self, command: &ClientCommand) {
        self.send_text(&serde_json::to_string(command).unwrap())
            .await;
    }

    pub async fn send_text(&mut self, frame: &str) {
        self.send_raw(WsMessage::text(frame)).await;
    }

    pub async fn send_raw(&mut self, frame: WsMessage) {
        self.0.send(frame).await.expect("the socket is open");
    }

    /// Sends `watch` without waiting for the answer.
    pub async fn send_watch(&mut self, upload: UploadRef, after: Option<Seq>) {
        let command = ClientCommand::Watch {
            upload_id: upload,
            after,
            after_id: None,
            viewer: None,
        };
        self.send(&command).await;
    }

    /// Sends `watch` with the id of the client's last message, and returns the answer: whether to start anew, head and
    /// messages.
    pub async fn resume(&mut self, upload: UploadRef, last: &Message) -> (bool, Seq, Vec<Message>) {
        let command = ClientCommand::Watch {
            upload_id: upload,
            after: Some(last.seq),
            after_id: Some(last.id),
            viewer: None,
        };
        self.send(&command).await;
        loop {
            match self.event().await {
                ServerEvent::Watched {
                    head,
                    entries,
                    reset,
                    ..
                } => return (reset, head, messages(&entries)),
                ServerEvent::Refused(refusal) => panic!("refused: {refusal:?}"),
                _ => {}
            }
        }
    }

    /// Watches the upload and returns the answer: head and messages.
    pub async fn watch(&mut self, upload: UploadRef, after: Option<Seq>) -> (Seq, Vec<Message>) {
        self.send_watch(upload, after).await;
        loop {
            match self.event().await {
                ServerEvent::Watched { head, entries, .. } => return (head, messages(&entries)),
                ServerEvent::Refused(refusal) => panic!("refused: {refusal:?}"),
                _ => {}
            }
        }
    }

    /// Watches the upload as a viewer that says this about itself.
    pub async fn watch_as(&mut self, upload: UploadRef, viewer: Viewer) {
        let command = ClientCommand::Watch {
            upload_id: upload,
            after: None,
            after_id: None,
            viewer: Some(viewer),
        };
        self.send(&command).await;
        let answer = self.event().await;
        assert!(matches!(answer, ServerEvent::Watched { .. }), "{answer:?}");
    }

    pub async fn touch(&mut self, upload: UploadRef, x: f64, y: f64, tab: &str) {
        let command = ClientCommand::Touch {
            upload_id: upload,
            at: Point::new(x, y).unwrap(),
            tab: tab.parse().unwrap(),
            author: None,
            name: None,
            stroke: None,
        };
        self.send(&command).await;
    }

    /// Returns the next text frame, skipping presence, which comes at any time.
    pub async fn text(&mut self) -> String {
        loop {
            let text = self.any_text().await;
            if !text.starts_with(r#"{"type":"presence""#) {
                return text;
            }
        }
    }

    /// Returns who watches, as the next such event says, skipping other events.
    pub async fn presence(&mut self) -> (u32, Vec<Person>) {
        loop {
            let event = serde_json::from_str(&self.any_text().await).unwrap();
            if let ServerEvent::Presence { count, people, .. } = event {
                return (count, people);
            }
        }
    }

    /// Waits until it is told that this many sockets watch, and people with these names.
    pub async fn told(&mut self, count: u32, names: &[&str]) {
        loop {
            let (told, people) = self.presence().await;
            if told == count
                && people
                    .iter()
                    .map(|it| it.name.as_str())
                    .eq(names.iter().copied())
            {
                return;
            }
        }
    }

    async fn any_text(&mut self) -> String {
        loop {
            match self.frame().await {
                Some(WsMessage::Text(text)) => return text.to_string(),
                Some(WsMessage::Ping(_) | WsMessage::Pong(_)) => {}
                other => panic!("expected an event, got {other:?}"),
            }
        }
    }

    /// Returns the next event.
    pub async fn event(&mut self) -> ServerEvent {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Returns the next posted message, skipping other events.
    pub async fn posted(&mut self) -> Message {
        loop {
            if let ServerEvent::MessagePosted { message, .. } = self.event().await {
                return message;
            }
        }
    }

    /// Returns the next event, which has to be a refusal.
    pub async fn refusal(&mut self) -> Refusal {
        match self.event().await {
            ServerEvent::Refused(refusal) => refusal,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    /// Returns the code of the server's close frame, skipping other frames; `None` if the connection ends without one.
    pub async fn close_code(&mut self) -> Option<u16> {
        loop {
            match self.frame().await {
                Some(WsMessage::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Some(_) => {}
                None => return None,
            }
        }
    }

    /// Returns the next frame; `None` at the end.
    pub async fn frame(&mut self) -> Option<WsMessage> {
        let next = timeout(FRAME_TIMEOUT, self.0.next())
            .await
            .expect("a frame has to arrive in time");
        next.and_then(Result::ok)
    }
}

/// Returns the messages among these entries of a log.
fn messages(entries: &[LogEntry]) -> Vec<Message> {
    entries
        .iter()
        .filter_map(LogEntry::message)
        .cloned()
        .collect()
}

fn request(base: &str, headers: &[(&'static str, &str)]) -> Result<Request, Error> {
    let url = format!("{}/api/socket", base.replacen("http", "ws", 1));
    let mut request = url.into_client_request()?;
    let subprotocol = ("sec-websocket-protocol", SUBPROTOCOL);
    for (name, value) in [&[subprotocol], headers].concat() {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    Ok(request)
}
