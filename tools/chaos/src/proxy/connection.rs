//! One connection through the proxy.

use std::future::pending;
use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::resp::{NotResp, first_value, is_message};
use super::{Mode, Shared};

const BUFFER: usize = 64 * 1024;

/// Carries what both sides say until one of them ends, or the mode ends it.
pub(super) async fn run(mut client: TcpStream, shared: &Shared, mut mode: watch::Receiver<Mode>) {
    // A Redis that is away refuses the connection: so does the proxy, by closing it.
    let Ok(mut server) = TcpStream::connect(shared.upstream).await else {
        return;
    };
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let flowing = async {
        tokio::select! {
            _ = copy(&mut from_client, &mut to_server) => {}
            _ = pass_values(&mut from_server, &mut to_client, shared) => {}
        }
    };
    let mode = tokio::select! {
        // In this order: what comes after the change is not passed on.
        biased;
        mode = left(&mut mode) => mode,
        () = flowing => Mode::Cut,
    };
    if mode == Mode::HalfOpen {
        // Read, so that both sides believe that it arrives; until the client gives up, whatever the server does.
        let (mut nowhere, mut nowhere_else) = (sink(), sink());
        let server = async {
            let _ = copy(&mut from_server, &mut nowhere).await;
            pending::<()>().await;
        };
        tokio::select! {
            _ = copy(&mut from_client, &mut nowhere_else) => {}
            () = server => {}
        }
    }
}

/// What the mode becomes when it is no longer flowing.
async fn left(mode: &mut watch::Receiver<Mode>) -> Mode {
    let changed = mode.wait_for(|mode| *mode != Mode::Flowing).await;
    changed.map_or(Mode::Cut, |mode| *mode)
}

/// Passes values on whole, without those messages that are lost.
async fn pass_values(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    shared: &Shared,
) -> io::Result<()> {
    let mut waiting = Vec::with_capacity(BUFFER);
    while from.read_buf(&mut waiting).await? > 0 {
        let mut kept = Vec::with_capacity(waiting.len());
        let taken = keep(&waiting, &mut kept, || shared.loses_this())
            .map_err(|NotResp| io::Error::other("that is not Redis"))?;
        waiting.drain(..taken);
        to.write_all(&kept).await?;
    }
    Ok(())
}

/// Moves the whole values to `kept`, without the lost ones; how many bytes they were.
fn keep(
    bytes: &[u8],
    kept: &mut Vec<u8>,
    mut loses_this: impl FnMut() -> bool,
) -> Result<usize, NotResp> {
    let mut taken = 0;
    while let Some(length) = first_value(&bytes[taken..])? {
        let value = &bytes[taken..taken + length];
        if !(is_message(value) && loses_this()) {
            kept.extend_from_slice(value);
        }
        taken += length;
    }
    Ok(taken)
}
