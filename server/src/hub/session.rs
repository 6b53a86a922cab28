//! One socket, from its first frame to its close. One task reads its commands and writes its outbox.

use std::sync::Arc;
use std::time::Duration;

use app::event::{ClientCommand, CommandError};
use axum::Error;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures::SinkExt;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};

use super::commands::{Commands, TooManyFrames};
use super::outbox::Overflowed;
use super::{Hub, Outbox};

/// How long a write may make no progress before the peer counts as dead.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a close frame may take; the connection is dropped after that. A node that restarts cannot wait long.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// The same for a peer that is slow to read: what it has not read yet comes before the close frame.
const SLOW_CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
/// Pings without an answer after which the peer counts as dead.
const MAX_UNANSWERED_PINGS: u8 = 2;

/// Why the server ends a socket, with the close codes of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The connection broke or the peer is dead: nothing to say.
    Gone,
    /// The client closed: its close frame is answered with its own code.
    Closed,
    /// 1008: a malformed frame.
    Malformed,
    /// 1008: more frames than the protocol needs.
    TooManyFrames,
    /// 1009: a frame over the limit.
    TooBig,
    /// 1012: this node restarts.
    Restarting,
    /// 1013: the client reads too slowly.
    TooSlow,
}

impl Ending {
    fn frame(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Gone | Self::Closed => return None,
            Self::Malformed => (1008, "that frame is no command of this protocol"),
            Self::TooManyFrames => (1008, "too many frames"),
            Self::TooBig => (1009, "that frame is over 4 KiB"),
            Self::Restarting => (1012, "this node restarts, come back at once"),
            Self::TooSlow => (1013, "too slow to read, come back and resync"),
        };
        Some(CloseFrame {
            code,
            reason: Utf8Bytes::from_static(reason),
        })
    }
}

/// Serves the socket until it ends, and says why it does.
pub(super) async fn run(hub: Hub, mut socket: WebSocket) {
    let ending = Session::new(hub).serve(&mut socket).await;
    let patience = match ending {
        Ending::Gone => return,
        Ending::TooSlow => SLOW_CLOSE_TIMEOUT,
        _ => CLOSE_TIMEOUT,
    };
    tracing::debug!(?ending, "closing a socket");
    // A peer that takes part in no closing handshake is gone already.
    let _ = timeout(patience, close(&mut socket, ending.frame())).await;
}

/// Sends the close frame, unless the peer sent one, and reads on until the closing handshake is over (RFC 6455, 7.1.2):
/// so the peer's close frame is answered, and the peer reads ours before the connection ends.
async fn close(socket: &mut WebSocket, frame: Option<CloseFrame>) -> Result<(), Error> {
    if let Some(frame) = frame {
        socket.send(Message::Close(Some(frame))).await?;
    }
    while let Some(frame) = socket.recv().await {
        frame?;
    }
    Ok(())
}

struct Session {
    hub: Hub,
    outbox: Arc<Outbox>,
    commands: Commands,
    pings: Interval,
    unanswered_pings: u8,
}

impl Session {
    fn new(hub: Hub) -> Self {
        let limits = hub.0.limits;
        let outbox = Arc::new(Outbox::default());
        let commands = Commands::new(hub.clone(), Arc::clone(&outbox), limits);
        let mut pings = interval_at(
            Instant::now() + limits.pace.ping_every,
            limits.pace.ping_every,
        );
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            hub,
            outbox,
            commands,
            pings,
            unanswered_pings: 0,
        }
    }

    async fn serve(mut self, socket: &mut WebSocket) -> Ending {
        let shutdown = self.hub.0.shutdown.clone();
        loop {
            let step = tokio::select! {
                () = shutdown.cancelled() => Err(Ending::Restarting),
                frame = socket.recv() => self.read(frame).await,
                frames = self.outbox.take() => self.write(socket, frames).await,
                _ = self.pings.tick() => self.ping(socket).await,
            };
            if let Err(ending) = step {
                return ending;
            }
        }
    }

    async fn read(&mut self, frame: Option<Result<Message, Error>>) -> Result<(), Ending> {
        let frame = frame
            .ok_or(Ending::Gone)?
            .map_err(|error| ending_of(&error))?;
        self.unanswered_pings = 0;
        self.commands
            .count_frame()
            .map_err(|TooManyFrames| Ending::TooManyFrames)?;
        match frame {
            Message::Text(text) => self.command(&text).await,
            Message::Binary(_) => Err(Ending::Malformed),
            Message::Close(_) => Err(Ending::Closed),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
        }
    }

    async fn command(&mut self, text: &str) -> Result<(), Ending> {
        let command = match ClientCommand::parse(text) {
            Ok(command) => Ok(command),
            Err(CommandError::Refused(refusal)) => Err(refusal),
            Err(CommandError::Malformed(_)) => return Err(Ending::Malformed),
        };
        self.commands.run(command).await;
        Ok(())
    }

    async fn write(
        &mut self,
        socket: &mut WebSocket,
        frames: Result<Vec<Utf8Bytes>, Overflowed>,
    ) -> Result<(), Ending> {
        let frames = frames.map_err(|Overflowed| Ending::TooSlow)?;
        tokio::select! {
            written = timeout(WRITE_TIMEOUT, write_all(socket, frames)) => match written {
                Ok(written) => written.map_err(|error| ending_of(&error)),
                Err(_) => Err(Ending::TooSlow),
            },
            // A peer that takes nothing must not wait for the whole time limit once messages are lost to it.
            () = self.outbox.overflowed() => Err(Ending::TooSlow),
        }
    }

    async fn ping(&mut self, socket: &mut WebSocket) -> Result<(), Ending> {
        if self.unanswered_pings >= MAX_UNANSWERED_PINGS {
            return Err(Ending::Gone);
        }
        self.unanswered_pings += 1;
        let ping = Message::Ping(Bytes::new());
        match timeout(WRITE_TIMEOUT, socket.send(ping)).await {
            Ok(sent) => sent.map_err(|error| ending_of(&error)),
            Err(_) => Err(Ending::Gone),
        }
    }
}

/// Writes the frames with one flush at the end.
async fn write_all(socket: &mut WebSocket, frames: Vec<Utf8Bytes>) -> Result<(), Error> {
    for frame in frames {
        socket.feed(Message::Text(frame)).await?;
    }
    socket.flush().await
}

/// What a failed read or write means: a frame over the limit is told, a broken connection cannot be.
fn ending_of(error: &Error) -> Ending {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<tungstenite::Error>() {
            return match error {
                tungstenite::Error::Capacity(_) => Ending::TooBig,
                tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_) => Ending::Malformed,
                _ => Ending::Gone,
            };
        }
        cause = error.source();
    }
    Ending::Gone
}
