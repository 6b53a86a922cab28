//! One socket, from its first frame to its close. One task reads its commands and, whatever these wait for, writes what
//! the kernel did not take at once.

use std::sync::Arc;
use std::time::Duration;

use app::event::{ClientCommand, CommandError, MAX_COMMAND_BYTES};
use bytes::Bytes;
use tokio::time::timeout;

use super::batch::Batch;
use super::commands::{Commands, TooManyFrames};
use super::keeper::Kept;
use super::outbox::{Need, Outbox};
use super::topics::Hub;
use crate::admission::misses::Misses;
use crate::broker::DeliveryClass;
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
    /// The same, in the middle of a frame: the connection is reset.
    Cut,
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
            Self::TooSlow | Self::Cut => "too_slow",
        }
    }

    fn frame(self) -> Bytes {
        let (code, reason) = match self {
            Self::Gone | Self::Cut => (None, ""),
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

impl Hub {
    /// Serves one socket until either side closes it (the article's `HandleSocket`); `read` is what came before the
    /// upgrade was done, and `misses` are its client's. The caller's task is a tracked one.
    pub async fn handle_socket(&self, connection: Connection, read: Bytes, misses: Misses) {
        run(self.clone(), connection, read, misses).await;
    }
}

/// Serves the socket until it ends, and says why it does. `read` is what came before the upgrade was done.
async fn run(hub: Hub, connection: Connection, read: Bytes, misses: Misses) {
    let outbox = Arc::new(Outbox::new(connection, Arc::clone(&hub.0.waiting)));
    let Some(connection) = outbox.connection() else {
        return;
    };
    let kept = hub.0.keeper.keep(Arc::clone(&outbox));
    let ending = serve(&hub, &outbox, connection, &kept, read, misses).await;
    hub.0.metrics.closed(ending.name());
    if matches!(ending, Ending::TooSlow | Ending::Cut) {
        hub.0.metrics.overflowed();
    }
    let patience = match ending {
        Ending::Gone => return,
        Ending::Cut => return connection.reset_on_drop(),
        Ending::TooSlow => SLOW_CLOSE_TIMEOUT,
        _ => CLOSE_TIMEOUT,
    };
    tracing::debug!(?ending, "closing a socket");
    outbox.close(ending.frame());
    // A peer that takes part in no closing handshake is gone already.
    let _ = timeout(patience, close(&outbox, connection, ending)).await;
    if matches!(outbox.need(), Need::Write | Need::Reset) {
        // What it has not taken would stay in the kernel otherwise.
        connection.reset_on_drop();
    }
}

/// Writes the close frame and reads on until the peer has closed too (RFC 6455, 7.1.2), so that it reads ours before the
/// connection ends.
async fn close(outbox: &Outbox, connection: &Connection, ending: Ending) {
    // What does not begin with a frame, as after a malformed one, is passed over until the peer is gone.
    let mut decoder = Some(Decoder::new(MAX_COMMAND_BYTES));
    loop {
        let need = outbox.need();
        let said_all = need == Need::Nothing;
        if matches!(need, Need::Broken | Need::Reset)
            || said_all && matches!(ending, Ending::Closed(_))
        {
            return;
        }
        tokio::select! {
            _ = connection.writable(), if !said_all => outbox.write(),
            () = outbox.changed(), if !said_all => {}
            _ = connection.readable() => {
                let mut has_closed = false;
                let open = connection.read(|bytes| has_closed = reads_close(&mut decoder, bytes));
                if has_closed || !open.is_ok_and(|open| open) {
                    return;
                }
            }
        }
    }
}

/// Whether a close frame came. Nothing is kept once the bytes are no frames.
fn reads_close(decoder: &mut Option<Decoder>, bytes: &[u8]) -> bool {
    let Some(frames) = decoder else {
        return false;
    };
    frames.take(bytes);
    loop {
        match frames.next_frame() {
            Ok(Some(Incoming::Close(_))) => return true,
            Ok(Some(_)) => {}
            Ok(None) => return false,
            Err(_) => {
                *decoder = None;
                return false;
            }
        }
    }
}

/// Why the socket ends. What waits is written and a shutdown is heard whatever its commands wait for; it has left its
/// rooms when this is over.
async fn serve(
    hub: &Hub,
    outbox: &Arc<Outbox>,
    connection: &Connection,
    kept: &Kept,
    read: Bytes,
    misses: Misses,
) -> Ending {
    let mut reader = Reader::new(hub, outbox, kept, misses);
    reader.decoder.take(&read);
    // It holds the buffer of the request: eight kilobytes that a socket would keep as long as it lives.
    drop(read);
    tokio::select! {
        biased;
        () = hub.0.shutdown.cancelled() => Ending::Restarting,
        ending = write(outbox, connection) => ending,
        ending = reader.read(connection) => ending,
    }
}

/// Writes what had to wait, until the socket has to end.
async fn write(outbox: &Outbox, connection: &Connection) -> Ending {
    loop {
        match outbox.need() {
            Need::Broken => return Ending::Gone,
            Need::Reset => return Ending::Cut,
            Need::Overflowed => return Ending::TooSlow,
            Need::Nothing => outbox.changed().await,
            Need::Write => tokio::select! {
                () = outbox.changed() => {}
                _ = connection.writable() => outbox.write(),
            },
        }
    }
}

/// Reads a socket's commands and has them done, one after the other.
struct Reader<'a> {
    outbox: &'a Outbox,
    kept: &'a Kept,
    commands: Commands,
    decoder: Decoder,
}

impl<'a> Reader<'a> {
    fn new(hub: &Hub, outbox: &'a Arc<Outbox>, kept: &'a Kept, misses: Misses) -> Self {
        Self {
            outbox,
            kept,
            commands: Commands::new(hub.clone(), Arc::clone(outbox), hub.0.limits, misses),
            decoder: Decoder::new(MAX_COMMAND_BYTES),
        }
    }

    /// Until the socket has to end.
    async fn read(&mut self, connection: &Connection) -> Ending {
        loop {
            if let Err(ending) = self.frames().await {
                return ending;
            }
            let readable = connection.readable().await;
            let open = readable.and_then(|()| connection.read(|bytes| self.decoder.take(bytes)));
            if !open.is_ok_and(|open| open) {
                return Ending::Gone;
            }
        }
    }

    /// Does what was read. Nothing more is read meanwhile, nor while an answer waits to be written: a client that asks
    /// more than it reads has to wait, and costs one answer.
    async fn frames(&mut self) -> Result<(), Ending> {
        let _busy = self.kept.busy();
        loop {
            self.outbox.answered().await;
            let Some(frame) = self.decoder.next_frame()? else {
                return Ok(());
            };
            self.commands
                .count_frame()
                .map_err(|TooManyFrames| Ending::TooManyFrames)?;
            match frame {
                Incoming::Text(text) => self.command(&text).await?,
                Incoming::Ping(payload) => {
                    let pong = websocket::pong(&payload);
                    let pong = Batch::one(DeliveryClass::Message, pong);
                    self.outbox.answer(&pong);
                }
                Incoming::Part | Incoming::Pong => {}
                Incoming::Binary => return Err(Ending::Malformed),
                Incoming::Close(code) => return Err(Ending::Closed(code)),
            }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_goes_on_after_it_broke_the_rules_is_passed_over_and_nothing_is_kept() {
        let mut decoder = Some(Decoder::new(MAX_COMMAND_BYTES));
        assert!(!reads_close(&mut decoder, &[0xff; 4_096]));
        assert!(decoder.is_none());
        assert!(!reads_close(&mut decoder, &[0x88, 0x80, 0, 0, 0, 0]));
    }

    #[test]
    fn a_peers_close_frame_is_seen_behind_other_frames() {
        let mut decoder = Some(Decoder::new(MAX_COMMAND_BYTES));
        assert!(!reads_close(&mut decoder, &[0x8a, 0x80, 0, 0, 0]));
        assert!(reads_close(&mut decoder, &[0, 0x88, 0x80, 0, 0, 0, 0]));
    }
}
