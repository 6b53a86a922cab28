//! Serves one socket from its first frame to its close. One task reads its commands and, even while a command waits for
//! a backend, writes queued frames.

use std::sync::Arc;
use std::time::Duration;

use app::event::{ClientCommand, CommandError, MAX_COMMAND_BYTES};
use bytes::Bytes;
use tokio::time::timeout;

use super::batch::Batch;
use super::commands::{Commands, TooManyFrames};
use super::handle::Hub;
use super::outbox::{Action, Outbox};
use super::socket_monitor::Registration;
use crate::admission::misses::ClientMisses;
use crate::broker::DeliveryClass;
use crate::websocket::{self, Connection, DecodeError, Decoder, Incoming};

/// The time limit of the closing handshake; the connection is dropped after it. A node that restarts cannot wait long.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// The time limit for a peer that reads slowly, which has to read earlier frames before the close frame.
const SLOW_CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a socket is closed, with the close codes of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// The connection broke or the peer is dead; no close frame is sent.
    Gone,
    /// The client closed it; its close frame is answered with the same code.
    Closed(Option<u16>),
    /// 1002: bytes that violate RFC 6455.
    Violation,
    /// 1007: a text that is not UTF-8.
    NotUtf8,
    /// 1008: a frame that is not a command.
    Malformed,
    /// 1008: more frames than the protocol needs.
    TooManyFrames,
    /// 1008: the client's address was blocked.
    Blocked,
    /// 1009: a frame over the limit.
    TooBig,
    /// 1012: this node restarts.
    Restarting,
    /// 1013: the client reads too slowly.
    TooSlow,
    /// The client reads too slowly, and a frame is partly written, so no close frame can follow: the connection is
    /// reset.
    Reset,
}

impl CloseReason {
    /// The label in the metrics.
    fn label(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Closed(_) => "closed",
            Self::Violation | Self::NotUtf8 | Self::Malformed => "malformed",
            Self::TooManyFrames => "too_many_frames",
            Self::Blocked => "blocked",
            Self::TooBig => "too_big",
            Self::Restarting => "restarting",
            Self::TooSlow | Self::Reset => "too_slow",
        }
    }

    fn frame(self) -> Bytes {
        let (code, reason) = match self {
            Self::Gone | Self::Reset => (None, ""),
            Self::Closed(code) => (code, ""),
            Self::Violation => (Some(1002), "the frame violates RFC 6455"),
            Self::NotUtf8 => (Some(1007), "the text is not UTF-8"),
            Self::Malformed => (Some(1008), "the frame is not a command of this protocol"),
            Self::TooManyFrames => (Some(1008), "too many frames"),
            Self::Blocked => (Some(1008), "this address is blocked"),
            Self::TooBig => (Some(1009), "the frame is over 4 KiB"),
            Self::Restarting => (Some(1012), "this node restarts, reconnect at once"),
            Self::TooSlow => (Some(1013), "too slow to read, reconnect and resync"),
        };
        websocket::close(code, reason)
    }
}

impl From<DecodeError> for CloseReason {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::TooBig => Self::TooBig,
            DecodeError::Violation => Self::Violation,
            DecodeError::NotUtf8 => Self::NotUtf8,
        }
    }
}

impl Hub {
    /// Serves one socket until either side closes it. `read` is what was received after the handshake, `misses` counts
    /// the client's lookups of unknown uploads, and `blocked` ends when its address is blocked. The caller's task has
    /// to be tracked.
    pub async fn handle_socket(
        &self,
        connection: Connection,
        read: Bytes,
        misses: ClientMisses,
        blocked: impl Future<Output = ()> + Send,
    ) {
        run(self.clone(), connection, read, misses, blocked).await;
    }
}

async fn run(
    hub: Hub,
    connection: Connection,
    read: Bytes,
    misses: ClientMisses,
    blocked: impl Future<Output = ()> + Send,
) {
    let outbox = Arc::new(Outbox::new(connection, Arc::clone(&hub.0.queued_bytes)));
    let connection = outbox.connection();
    let registration = hub.0.monitor.register(Arc::clone(&outbox));
    let serving = serve(&hub, &outbox, connection, &registration, read, misses);
    let reason = tokio::select! {
        biased;
        () = blocked => CloseReason::Blocked,
        reason = serving => reason,
    };
    hub.0.metrics.closed(reason.label());
    if matches!(reason, CloseReason::TooSlow | CloseReason::Reset) {
        hub.0.metrics.overflowed();
    }
    let close_timeout = match reason {
        CloseReason::Gone => return,
        CloseReason::Reset => return connection.reset_on_drop(),
        CloseReason::TooSlow => SLOW_CLOSE_TIMEOUT,
        _ => CLOSE_TIMEOUT,
    };
    tracing::debug!(?reason, "closing a socket");
    outbox.close(reason.frame());
    // A timeout needs no handling: the peer does not take part in the closing handshake.
    let _ = timeout(close_timeout, close_handshake(&outbox, connection, reason)).await;
    if matches!(outbox.next_action(), Action::Write | Action::Reset) {
        // Otherwise the kernel would keep what the peer has not accepted.
        connection.reset_on_drop();
    }
}

/// Writes the close frame, and reads until the peer has closed too (RFC 6455, 7.1.2), so that it receives the close
/// frame before the connection ends.
async fn close_handshake(outbox: &Outbox, connection: &Connection, reason: CloseReason) {
    // Bytes that are not frames, as after a malformed one, are discarded until the peer is gone.
    let mut decoder = Some(Decoder::new(MAX_COMMAND_BYTES));
    loop {
        let action = outbox.next_action();
        let is_flushed = action == Action::Wait;
        if matches!(action, Action::Disconnect | Action::Reset)
            || is_flushed && matches!(reason, CloseReason::Closed(_))
        {
            return;
        }
        tokio::select! {
            biased;
            _ = connection.writable(), if !is_flushed => outbox.write(),
            () = outbox.changed(), if !is_flushed => {}
            _ = connection.readable() => {
                let mut has_closed = false;
                let open = connection.read(|bytes| has_closed = contains_close(&mut decoder, bytes));
                if has_closed || !open.is_ok_and(|open| open) {
                    return;
                }
            }
        }
    }
}

/// Whether the bytes contain a close frame. Once they are not frames, the decoder is dropped and nothing is kept.
fn contains_close(decoder: &mut Option<Decoder>, bytes: &[u8]) -> bool {
    let Some(frames) = decoder else {
        return false;
    };
    frames.feed(bytes);
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

/// Serves the socket until it has to be closed, and returns why. Queued frames are written and a shutdown is noticed
/// even while a command waits for a backend. The socket has left its rooms when this returns.
async fn serve(
    hub: &Hub,
    outbox: &Arc<Outbox>,
    connection: &Connection,
    registration: &Registration,
    read: Bytes,
    misses: ClientMisses,
) -> CloseReason {
    let mut reader = CommandReader::new(hub, outbox, registration, misses);
    reader.decoder.feed(&read);
    // It holds the request's buffer of 8 KiB, which the socket would keep for its lifetime.
    drop(read);
    tokio::select! {
        biased;
        () = hub.0.shutdown.cancelled() => CloseReason::Restarting,
        reason = write_queued(outbox, connection) => reason,
        reason = reader.run(connection) => reason,
    }
}

/// Writes queued frames until the socket has to be closed, and returns why.
pub(super) async fn write_queued(outbox: &Outbox, connection: &Connection) -> CloseReason {
    loop {
        match outbox.next_action() {
            Action::Disconnect => return CloseReason::Gone,
            Action::Reset => return CloseReason::Reset,
            Action::CloseTooSlow => return CloseReason::TooSlow,
            Action::Wait => outbox.changed().await,
            Action::Write => tokio::select! {
                biased;
                _ = connection.writable() => outbox.write(),
                () = outbox.changed() => {}
            },
        }
    }
}

/// Reads a socket's commands and executes them one after the other.
struct CommandReader<'a> {
    outbox: &'a Outbox,
    registration: &'a Registration,
    commands: Commands,
    decoder: Decoder,
}

impl<'a> CommandReader<'a> {
    fn new(
        hub: &Hub,
        outbox: &'a Arc<Outbox>,
        registration: &'a Registration,
        misses: ClientMisses,
    ) -> Self {
        Self {
            outbox,
            registration,
            commands: Commands::new(hub.clone(), Arc::clone(outbox), hub.0.limits, misses),
            decoder: Decoder::new(MAX_COMMAND_BYTES),
        }
    }

    /// Reads until the socket has to be closed, and returns why.
    async fn run(&mut self, connection: &Connection) -> CloseReason {
        loop {
            if let Err(reason) = self.handle_frames().await {
                return reason;
            }
            let readable = connection.readable().await;
            let open = readable.and_then(|()| connection.read(|bytes| self.decoder.feed(bytes)));
            if !open.is_ok_and(|open| open) {
                return CloseReason::Gone;
            }
        }
    }

    /// Handles the frames that were read. Nothing is read meanwhile, nor while an answer is queued, so that at most one
    /// answer is queued for a client that sends commands without reading.
    async fn handle_frames(&mut self) -> Result<(), CloseReason> {
        let _busy = self.registration.busy();
        loop {
            self.outbox.answers_written().await;
            let Some(frame) = self.decoder.next_frame()? else {
                return Ok(());
            };
            self.commands
                .count_frame()
                .map_err(|TooManyFrames| CloseReason::TooManyFrames)?;
            match frame {
                Incoming::Text(text) => self.command(&text).await?,
                Incoming::Ping(payload) => {
                    let pong = websocket::pong(&payload);
                    let pong = Batch::single(DeliveryClass::Message, pong);
                    self.outbox.answer(&pong);
                }
                Incoming::Fragment | Incoming::Pong => {}
                Incoming::Binary => return Err(CloseReason::Malformed),
                Incoming::Close(code) => return Err(CloseReason::Closed(code)),
            }
        }
    }

    async fn command(&mut self, text: &str) -> Result<(), CloseReason> {
        let command = match ClientCommand::parse(text) {
            Ok(command) => Ok(command),
            Err(CommandError::Refused(refusal)) => Err(refusal),
            Err(CommandError::Malformed(_)) => return Err(CloseReason::Malformed),
        };
        // Boxed, so that a socket that only watches does not hold the space of all that a command may need.
        Box::pin(self.commands.execute(command)).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_after_a_malformed_frame_are_discarded() {
        let mut decoder = Some(Decoder::new(MAX_COMMAND_BYTES));
        assert!(!contains_close(&mut decoder, &[0xff; 4_096]));
        assert!(decoder.is_none());
        assert!(!contains_close(&mut decoder, &[0x88, 0x80, 0, 0, 0, 0]));
    }

    #[test]
    fn a_close_frame_is_found_behind_other_frames() {
        let mut decoder = Some(Decoder::new(MAX_COMMAND_BYTES));
        assert!(!contains_close(&mut decoder, &[0x8a, 0x80, 0, 0, 0]));
        assert!(contains_close(&mut decoder, &[0, 0x88, 0x80, 0, 0, 0, 0]));
    }
}
