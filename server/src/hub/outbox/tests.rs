use socket2::SockRef;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::*;
use crate::broker::DeliveryClass;
use crate::websocket;

fn batch(class: DeliveryClass, text: &str) -> Batch {
    Batch::one(class, websocket::text(text))
}

fn message(text: &str) -> Batch {
    batch(DeliveryClass::Message, text)
}

fn touch(text: &str) -> Batch {
    batch(DeliveryClass::Touch, text)
}

/// An outbox and the other end of its connection.
async fn connected() -> (Outbox, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    // So that little goes to the kernel at once.
    SockRef::from(&stream)
        .set_send_buffer_size(16 * 1024)
        .unwrap();
    (Outbox::new(stream.into(), Arc::default()), client)
}

/// Pushes large messages until the kernel takes no more; everything that was pushed.
fn clog(outbox: &Outbox) -> Vec<u8> {
    let large = "x".repeat(30_000);
    let mut pushed = Vec::new();
    while outbox.need() == Need::Nothing {
        pushed.extend_from_slice(&websocket::text(&large));
        outbox.push(&message(&large));
    }
    assert_eq!(outbox.need(), Need::Write);
    pushed
}

/// Writes what waits while the other end reads so many bytes.
async fn read(outbox: &Outbox, client: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let write = async {
        loop {
            outbox.connection().unwrap().writable().await.unwrap();
            outbox.write();
            tokio::task::yield_now().await;
        }
    };
    let all = async {
        tokio::select! {
            () = write => {}
            read = client.read_exact(&mut bytes) => assert_eq!(read.unwrap(), length),
        }
    };
    timeout(Duration::from_secs(10), all)
        .await
        .expect("everything arrives");
    bytes
}

#[tokio::test]
async fn what_the_kernel_takes_is_written_at_once() {
    let (outbox, mut client) = connected().await;
    outbox.push(&message("now"));
    assert_eq!(outbox.need(), Need::Nothing);
    let expected = websocket::text("now");
    let mut bytes = vec![0; expected.len()];
    client.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, expected);
}

#[tokio::test]
async fn what_has_to_wait_arrives_whole_with_messages_in_order_and_before_touches() {
    let (outbox, mut client) = connected().await;
    let mut expected = clog(&outbox);
    outbox.push(&touch("t"));
    let several = ["1", "2"].map(|text| (DeliveryClass::Message, websocket::text(text)));
    outbox.push(&Batch::of(several.into()));
    outbox.push(&message("3"));
    for text in ["1", "2", "3", "t"] {
        expected.extend_from_slice(&websocket::text(text));
    }
    assert_eq!(read(&outbox, &mut client, expected.len()).await, expected);
    assert_eq!(outbox.need(), Need::Nothing);
    outbox.push(&message("at once again"));
    assert_eq!(outbox.need(), Need::Nothing);
}

#[tokio::test]
async fn a_batch_that_is_written_in_part_is_finished() {
    let (outbox, mut client) = connected().await;
    let frames: Vec<_> = (0..100)
        .map(|n| {
            (
                DeliveryClass::Message,
                websocket::text(&format!("{n}").repeat(5_000)),
            )
        })
        .collect();
    let batch = Batch::of(frames);
    outbox.push(&batch);
    assert_eq!(
        outbox.need(),
        Need::Write,
        "the kernel takes no megabyte at once"
    );
    let bytes = read(&outbox, &mut client, batch.bytes().len()).await;
    assert!(bytes == *batch.bytes(), "every byte once, in order");
}

#[tokio::test]
async fn one_message_too_many_is_told_and_never_skipped_silently() {
    let (outbox, _client) = connected().await;
    clog(&outbox);
    for n in 0..BOUNDS.messages {
        assert_eq!(outbox.need(), Need::Write, "{n} wait");
        outbox.push(&message("waits"));
    }
    outbox.push(&message("one too many"));
    outbox.push(&message("after the gap"));
    let told = timeout(Duration::from_secs(5), outbox.changed()).await;
    assert!(told.is_ok(), "the socket's task is told");
    assert_eq!(outbox.need(), Need::Overflowed);
}

#[tokio::test]
async fn a_close_frame_follows_what_is_written_in_part_and_nothing_follows_it() {
    let (outbox, mut client) = connected().await;
    let mut expected = clog(&outbox);
    outbox.push(&message("dropped"));
    outbox.push(&touch("dropped"));
    let close = websocket::close(Some(1013), "too slow");
    outbox.close(close.clone());
    outbox.push(&message("too late"));
    expected.extend_from_slice(&close);
    assert_eq!(read(&outbox, &mut client, expected.len()).await, expected);
    assert_eq!(outbox.need(), Need::Nothing);
}

#[tokio::test]
async fn a_socket_that_takes_nothing_is_stuck_until_it_takes_something() {
    let (outbox, mut client) = connected().await;
    assert_eq!(outbox.stalled(), Duration::ZERO);
    let clogged = clog(&outbox);
    assert!(outbox.stalled() > Duration::ZERO);
    assert!(outbox.stalled() < Duration::from_mins(1));
    read(&outbox, &mut client, clogged.len()).await;
    assert_eq!(outbox.stalled(), Duration::ZERO);
}

#[tokio::test]
async fn a_broken_connection_is_told() {
    let (outbox, client) = connected().await;
    drop(client);
    let broken = async {
        while outbox.need() != Need::Broken {
            outbox.push(&message("to nobody"));
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), broken).await.unwrap();
}

#[test]
fn a_full_outbox_drops_the_oldest_touches() {
    let outbox = Outbox::default();
    for n in 0..=BOUNDS.touches {
        outbox.push(&touch(&n.to_string()));
    }
    let waiting = outbox.take();
    assert_eq!(waiting.len(), BOUNDS.touches);
    assert_eq!(waiting[0], websocket::text("1"));
}

#[test]
fn as_many_messages_as_fit_are_kept_whatever_the_touches() {
    let outbox = Outbox::default();
    for n in 0..BOUNDS.messages {
        outbox.push(&message(&n.to_string()));
        outbox.push(&touch("t"));
    }
    assert_eq!(outbox.take().len(), BOUNDS.messages + BOUNDS.touches);
}
