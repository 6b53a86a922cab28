//! One socket, from its first frame to its close. One task reads its commands, and writes what the kernel did not take at
//! once.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use app::event::{ClientCommand, CommandError, MAX_COMMAND_BYTES};
use bytes::Bytes;
use tokio::time::timeout;

use super::batch::Batch;
use super::commands::{Commands, TooManyFrames};
use super::keeper::Kept;
use super::outbox::Need;
use super::{Hub, Outbox};
use crate::broker::DeliveryClass;
use crate::rate_limit::Misses;
use crate::websocket::{self, Connection, DecodeError, Decoder, Incoming};

/// How long a close frame may take; the connection is dropped after that. A node that restarts cannot wait long.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// The same for a peer that is slow to read: what it has not read yet comes before the close frame.
const SLOW_CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a socket ends, with the close codes of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The connection broke or the peer is dead: nothing to say.
    Gone,
    /// The client closed: its close frame is answered with its own code.
    Closed(Option<u16>),
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
    /// As metrics call it.
    fn name(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Closed(_) => "closed",
            Self::Malformed => "malformed",
            Self::TooManyFrames => "too_many_frames",
            Self::TooBig => "too_big",
            Self::Restarting => "restarting",
            Self::TooSlow => "too_slow",
        }
    }

    fn frame(self) -> Bytes {
        let (code, reason) = match self {
            Self::Gone => (None, ""),
            Self::Closed(code) => (code, ""),
            Self::Malformed => (Some(1008), "that frame is no command of this protocol"),
            Self::TooManyFrames => (Some(1008), "too many frames"),
            Self::TooBig => (Some(1009), "that frame is over 4 KiB"),
            Self::Restarting => (Some(1012), "this node restarts, come back at once"),
            Self::TooSlow => (Some(1013), "too slow to read, come back and resync"),
        };
        websocket::close(code, reason)
    }
}

impl From<DecodeError> for Ending {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::TooBig => Self::TooBig,
            DecodeError::Broken => Self::Malformed,
        }
    }
}

/// Serves the socket until it ends, and says why it does. `read` is what came before the upgrade was done.
pub(super) async fn run(hub: Hub, connection: Connection, read: Bytes, misses: Misses) {
    let outbox = Arc::new(Outbox::new(connection));
    let Some(connection) = outbox.connection() else {
        return;
    };
    let kept = hub.0.keeper.keep(Arc::clone(&outbox));
    let ending = Session::new(&hub, &outbox, &kept, misses)
        .serve(connection, read)
        .await;
    hub.0.metrics.closed(ending.name());
    if ending == Ending::TooSlow {
        hub.0.metrics.overflowed();
    }
    let patience = match ending {
        Ending::Gone => return,
        Ending::TooSlow => SLOW_CLOSE_TIMEOUT,
        _ => CLOSE_TIMEOUT,
    };
    tracing::debug!(?ending, "closing a socket");
    // A peer that takes part in no closing handshake is gone already.
    let _ = timeout(patience, close(&outbox, connection, ending)).await;
}

/// Sends the close frame and reads on until the peer has closed too (RFC 6455, 7.1.2), so that it reads ours before the
/// connection ends.
async fn close(outbox: &Outbox, connection: &Connection, ending: Ending) -> Result<(), Ending> {
    outbox.close(ending.frame());
    let mut decoder = Decoder::new(MAX_COMMAND_BYTES);
    loop {
        let need = outbox.need();
        let said_all = need == Need::Nothing;
        if need == Need::Broken || said_all && matches!(ending, Ending::Closed(_)) {
            return Ok(());
        }
        tokio::select! {
            _ = connection.writable(), if !said_all => outbox.write(),
            _ = connection.readable() => {
                let open = connection.read(|bytes| decoder.take(bytes));
                if !open.is_ok_and(|open| open) {
                    return Ok(());
                }
                // What does not begin with a frame, as after a malformed one, is passed over until the peer is gone.
                while let Ok(Some(frame)) = decoder.next_frame() {
                    if let Incoming::Close(_) = frame {
                        return Ok(());
                    }
                }
            }
        }
    }
}

struct Session<'a> {
    hub: &'a Hub,
    outbox: &'a Outbox,
    kept: &'a Kept,
    commands: Commands,
    decoder: Decoder,
}

impl<'a> Session<'a> {
    fn new(hub: &'a Hub, outbox: &'a Arc<Outbox>, kept: &'a Kept, misses: Misses) -> Self {
        Self {
            hub,
            outbox,
            kept,
            commands: Commands::new(hub.clone(), Arc::clone(outbox), hub.0.limits, misses),
            decoder: Decoder::new(MAX_COMMAND_BYTES),
        }
    }

    async fn serve(mut self, connection: &Connection, read: Bytes) -> Ending {
        self.decoder.take(&read);
        // It holds the buffer of the request: eight kilobytes that a socket would keep as long as it lives.
        drop(read);
        let ended = self.serve_frames(connection).await;
        ended.err().unwrap_or(Ending::Gone)
    }

    async fn serve_frames(&mut self, connection: &Connection) -> Result<(), Ending> {
        let mut restarting = pin!(self.hub.0.shutdown.cancelled());
        self.frames().await?;
        loop {
            let need = self.outbox.need();
            match need {
                Need::Broken => return Err(Ending::Gone),
                Need::Overflowed => return Err(Ending::TooSlow),
                Need::Write | Need::Nothing => {}
            }
            tokio::select! {
                () = &mut restarting => return Err(Ending::Restarting),
                () = self.outbox.changed() => {}
                _ = connection.writable(), if need == Need::Write => self.outbox.write(),
                _ = connection.readable() => {
                    let open = connection.read(|bytes| self.decoder.take(bytes));
                    if !open.is_ok_and(|open| open) {
                        return Err(Ending::Gone);
                    }
                    self.frames().await?;
                }
            }
        }
    }

    /// Does what was read.
    async fn frames(&mut self) -> Result<(), Ending> {
        while let Some(frame) = self.decoder.next_frame()? {
            self.kept.heard();
            self.commands
                .count_frame()
                .map_err(|TooManyFrames| Ending::TooManyFrames)?;
            match frame {
                Incoming::Text(text) => self.command(&text).await?,
                Incoming::Ping(payload) => {
                    let pong = websocket::pong(&payload);
                    self.outbox.push(&Batch::one(DeliveryClass::Message, pong));
                }
                Incoming::Part | Incoming::Pong => {}
                Incoming::Binary => return Err(Ending::Malformed),
                Incoming::Close(code) => return Err(Ending::Closed(code)),
            }
        }
        Ok(())
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
}
