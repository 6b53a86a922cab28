//! One connection through the proxy.

use std::future::pending;
use std::io;

use redis_protocol::resp3::decode::complete::decode;
use redis_protocol::resp3::types::{OwnedFrame, Resp3Frame};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{Disruption, Shared};

const BUFFER: usize = 64 * 1024;

/// Forwards in both directions until one side closes, or a disruption ends it.
pub(super) async fn run(
    mut client: TcpStream,
    shared: &Shared,
    mut disruptions: Receiver<Disruption>,
) {
    // When Redis refuses the connection the proxy closes it.
    let Ok(mut server) = TcpStream::connect(shared.upstream).await else {
        return;
    };
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let forwarding = async {
        tokio::select! {
            _ = copy(&mut from_client, &mut to_server) => {}
            _ = forward_values(&mut from_server, &mut to_client, shared) => {}
        }
    };
    let disruption = tokio::select! {
        // In this order: what arrives after the disruption is not forwarded.
        biased;
        disruption = first(&mut disruptions) => disruption,
        () = forwarding => Disruption::Cut,
    };
    if disruption == Disruption::HalfOpen {
        // Both sides' bytes are read, so that they seem to arrive; until the client gives up, whatever the server does.
        let (mut from_client_sink, mut from_server_sink) = (sink(), sink());
        let server = async {
            let _ = copy(&mut from_server, &mut from_server_sink).await;
            pending::<()>().await;
        };
        tokio::select! {
            _ = copy(&mut from_client, &mut from_client_sink) => {}
            () = server => {}
        }
    }
}

async fn first(disruptions: &mut Receiver<Disruption>) -> Disruption {
    loop {
        match disruptions.recv().await {
            Ok(disruption) => return disruption,
            Err(RecvError::Lagged(_)) => {}
            // The proxy was dropped.
            Err(RecvError::Closed) => return Disruption::Cut,
        }
    }
}

/// Forwards whole values, without the messages that are lost.
async fn forward_values(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    shared: &Shared,
) -> io::Result<()> {
    let mut received = Vec::with_capacity(BUFFER);
    while from.read_buf(&mut received).await? > 0 {
        let (mut kept, mut end) = (Vec::with_capacity(received.len()), 0);
        while let Some((value, length)) = decode(&received[end..]).map_err(io::Error::other)? {
            if !(is_message(&value) && shared.loses_next()) {
                kept.extend_from_slice(&received[end..end + length]);
            }
            end += length;
        }
        received.drain(..end);
        to.write_all(&kept).await?;
    }
    Ok(())
}

/// Whether the value is what a subscriber gets when somebody publishes.
fn is_message(value: &OwnedFrame) -> bool {
    value.is_normal_pubsub_message() || value.is_shard_pubsub_message()
}
