//! A chat of axum and tokio's broadcast channel, written the usual way: two tasks for each socket, one channel for each
//! room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt;
use futures::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Sender};

/// Messages that a slow socket may be behind.
const CAPACITY: usize = 1_024;

#[derive(Clone, Default)]
struct Rooms(Arc<Mutex<HashMap<String, Sender<Utf8Bytes>>>>);

/// Serves until the process ends.
#[tokio::main]
pub async fn serve(port: u16) -> Result<()> {
    rlimit::increase_nofile_limit(rlimit::INFINITY)?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let listener = listener.tap_io(|stream| {
        // A socket that refuses it only is slower.
        let _ = stream.set_nodelay(true);
    });
    let app = Router::new()
        .route("/{room}", get(upgrade))
        .with_state(Rooms::default());
    Ok(axum::serve(listener, app).await?)
}

async fn upgrade(
    State(rooms): State<Rooms>,
    Path(room): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(move |socket| chat(socket, rooms.sender(room)))
}

impl Rooms {
    fn sender(&self, room: String) -> Sender<Utf8Bytes> {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rooms
            .entry(room)
            .or_insert_with(|| broadcast::channel(CAPACITY).0)
            .clone()
    }
}

async fn chat(socket: WebSocket, room: Sender<Utf8Bytes>) {
    let mut messages = room.subscribe();
    let (mut sink, mut stream) = socket.split();
    let mut sending = tokio::spawn(async move {
        let mut text = Utf8Bytes::from_static("ready");
        while sink.send(Message::Text(text)).await.is_ok() {
            text = loop {
                match messages.recv().await {
                    Ok(text) => break text,
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            };
        }
    });
    let mut receiving = tokio::spawn(async move {
        while let Some(Ok(Message::Text(text))) = stream.next().await {
            // It fails when nobody is in the room any more.
            let _ = room.send(text);
        }
    });
    tokio::select! {
        _ = &mut sending => receiving.abort(),
        _ = &mut receiving => sending.abort(),
    }
}
