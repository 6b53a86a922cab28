use socket2::SockRef;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::*;
use crate::broker::DeliveryClass;
use crate::websocket;

fn batch(class: DeliveryClass, text: &str) -> Batch {
    Batch::single(class, websocket::text(text))
}

fn message(text: &str) -> Batch {
    batch(DeliveryClass::Message, text)
}

fn touch(text: &str) -> Batch {
    batch(DeliveryClass::Touch, text)
}

/// The frames that are queued, in the order in which they would be written.
fn queued_frames(outbox: &Outbox) -> Vec<Bytes> {
    let queue = outbox.lock();
    let mut slices = [IoSlice::new(&[]); 1_000];
    let count = queue.chunks_vectored(&mut slices);
    let frames = slices[..count].iter();
    frames.map(|slice| Bytes::copy_from_slice(slice)).collect()
}

/// An outbox and the other end of its connection.
async fn connected() -> (Outbox, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    // So that the kernel accepts little.
    SockRef::from(&stream)
        .set_send_buffer_size(16 * 1024)
        .unwrap();
    (Outbox::new(stream.into(), Arc::default()), client)
}

/// Pushes large messages until the kernel accepts no more, and returns all that was pushed.
fn fill_kernel_buffer(outbox: &Outbox) -> Vec<u8> {
    let large = "x".repeat(30_000);
    let mut pushed = Vec::new();
    while outbox.next_action() == Action::Wait {
        pushed.extend_from_slice(&websocket::text(&large));
        outbox.push(&message(&large));
    }
    assert_eq!(outbox.next_action(), Action::Write);
    pushed
}

/// Writes what is queued while the other end reads this many bytes.
async fn read(outbox: &Outbox, client: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let write = async {
        loop {
            outbox.connection().writable().await.unwrap();
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
async fn a_frame_that_the_kernel_accepts_is_written_at_once() {
    let (outbox, mut client) = connected().await;
    outbox.push(&message("now"));
    assert_eq!(outbox.next_action(), Action::Wait);
    let expected = websocket::text("now");
    let mut bytes = vec![0; expected.len()];
    client.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, expected);
}

#[tokio::test]
async fn queued_frames_arrive_whole_with_messages_in_order_and_before_touches() {
    let (outbox, mut client) = connected().await;
    let mut expected = fill_kernel_buffer(&outbox);
    outbox.push(&touch("t"));
    let several = ["1", "2"].map(|text| (DeliveryClass::Message, websocket::text(text)));
    outbox.push(&Batch::new(several.into()));
    outbox.push(&message("3"));
    for text in ["1", "2", "3", "t"] {
        expected.extend_from_slice(&websocket::text(text));
    }
    assert_eq!(read(&outbox, &mut client, expected.len()).await, expected);
    assert_eq!(outbox.next_action(), Action::Wait);
    outbox.push(&message("at once again"));
    assert_eq!(outbox.next_action(), Action::Wait);
}

#[tokio::test]
async fn a_partly_written_batch_is_completed() {
    let (outbox, mut client) = connected().await;
    let frames: Vec<_> = (0..100)
        .map(|n| {
            (
                DeliveryClass::Message,
                websocket::text(&format!("{n}").repeat(5_000)),
            )
        })
        .collect();
    let batch = Batch::new(frames);
    outbox.push(&batch);
    assert_eq!(
        outbox.next_action(),
        Action::Write,
        "the kernel does not accept a megabyte at once"
    );
    let bytes = read(&outbox, &mut client, batch.bytes().len()).await;
    assert!(bytes == *batch.bytes(), "every byte once, in order");
}

#[tokio::test]
async fn a_message_beyond_the_limit_overflows_the_socket() {
    let (outbox, _client) = connected().await;
    fill_kernel_buffer(&outbox);
    for n in 0..LIMITS.messages {
        assert_eq!(outbox.next_action(), Action::Write, "{n} are queued");
        outbox.push(&message("waits"));
    }
    outbox.push(&message("one too many"));
    outbox.push(&message("after the gap"));
    let notified = timeout(Duration::from_secs(5), outbox.changed()).await;
    assert!(notified.is_ok(), "the socket's task is notified");
    assert_eq!(outbox.next_action(), Action::CloseTooSlow);
}

#[tokio::test]
async fn a_close_frame_follows_a_partly_written_frame_and_is_the_last() {
    let (outbox, mut client) = connected().await;
    let mut expected = fill_kernel_buffer(&outbox);
    outbox.push(&message("dropped"));
    outbox.push(&touch("dropped"));
    let close = websocket::close(Some(1013), "too slow");
    outbox.close(close.clone());
    outbox.push(&message("too late"));
    expected.extend_from_slice(&close);
    assert_eq!(read(&outbox, &mut client, expected.len()).await, expected);
    assert_eq!(outbox.next_action(), Action::Wait);
}

#[tokio::test]
async fn a_socket_is_stalled_until_the_kernel_accepts_something() {
    let (outbox, mut client) = connected().await;
    assert_eq!(outbox.stalled_for(), Duration::ZERO);
    let pushed = fill_kernel_buffer(&outbox);
    assert!(outbox.stalled_for() > Duration::ZERO);
    assert!(outbox.stalled_for() < Duration::from_mins(1));
    read(&outbox, &mut client, pushed.len()).await;
    assert_eq!(outbox.stalled_for(), Duration::ZERO);
}

#[tokio::test]
async fn a_broken_connection_is_detected() {
    let (outbox, client) = connected().await;
    drop(client);
    let broken = async {
        while outbox.next_action() != Action::Disconnect {
            outbox.push(&message("to nobody"));
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), broken).await.unwrap();
}

#[test]
fn a_full_outbox_drops_the_oldest_touches() {
    let (outbox, _peer) = Outbox::in_memory(0, Arc::default());
    for n in 0..=LIMITS.touches {
        outbox.push(&touch(&n.to_string()));
    }
    let queued = queued_frames(&outbox);
    assert_eq!(queued.len(), LIMITS.touches);
    assert_eq!(queued[0], websocket::text("1"));
}

#[test]
fn touches_take_no_room_from_messages() {
    let (outbox, _peer) = Outbox::in_memory(0, Arc::default());
    for n in 0..LIMITS.messages {
        outbox.push(&message(&n.to_string()));
        outbox.push(&touch("t"));
    }
    assert_eq!(
        queued_frames(&outbox).len(),
        LIMITS.messages + LIMITS.touches
    );
}
