//! Threads push frames while the socket's task writes and the client reads.

use shuttle::future::{block_on, spawn};
use shuttle::thread;

use super::*;
use crate::broker::DeliveryClass;
use crate::hub::session::write_queued;
use crate::sync::explore;
use crate::websocket::{self, Peer};

/// What the kernel takes before the client has read. No frame fits.
const CAPACITY: usize = 3;

fn message(text: &str) -> Batch {
    Batch::single(DeliveryClass::Message, websocket::text(text))
}

struct Client {
    peer: Peer,
    written: Arc<Notify>,
}

impl Client {
    /// Reads until there are so many bytes, or the node has closed the connection.
    async fn read(&self, length: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < length {
            let is_closed = self.peer.is_closed();
            let bytes = self.peer.read(CAPACITY);
            if bytes.is_empty() && is_closed {
                break;
            } else if bytes.is_empty() {
                self.written.notified().await;
            }
            all.extend(bytes);
        }
        all
    }
}

fn connected() -> (Arc<Outbox>, Client) {
    let written = Arc::new(Notify::new());
    let (connection, peer) = Connection::in_memory(CAPACITY, Arc::clone(&written));
    let outbox = Outbox::new(connection, Arc::default());
    (Arc::new(outbox), Client { peer, written })
}

/// Lets a thread for each name push two messages, and the socket's task answer as many commands.
fn push(outbox: &Arc<Outbox>, names: [&'static str; 2]) -> Vec<thread::JoinHandle<()>> {
    let threads = names.into_iter().map(|name| {
        let outbox = Arc::clone(outbox);
        thread::spawn(move || {
            outbox.push(&message(&format!("{name}1")));
            outbox.push(&message(&format!("{name}2")));
        })
    });
    threads.collect()
}

/// The texts of frames, and whether there is an unfinished one.
fn texts(mut bytes: &[u8]) -> (Vec<String>, bool) {
    let mut texts = Vec::new();
    while let [_, length, rest @ ..] = bytes
        && let Some((text, rest)) = rest.split_at_checked(usize::from(*length))
    {
        texts.push(String::from_utf8_lossy(text).into_owned());
        bytes = rest;
    }
    (texts, !bytes.is_empty())
}

fn those_of<'a>(name: &str, texts: &'a [String]) -> Vec<&'a str> {
    let texts = texts.iter().map(String::as_str);
    texts.filter(|text| text.starts_with(name)).collect()
}

#[test]
fn all_frames_arrive_once_and_in_the_order_of_each_who_pushes() {
    explore(|| {
        let (outbox, client) = connected();
        let queued_bytes = Arc::clone(&outbox.queued_bytes);
        let writing = spawn({
            let outbox = Arc::clone(&outbox);
            async move { write_queued(&outbox, outbox.connection()).await }
        });
        let answering = spawn({
            let outbox = Arc::clone(&outbox);
            async move {
                for answer in ["c1", "c2"] {
                    outbox.answers_written().await;
                    outbox.answer(&message(answer));
                }
            }
        });
        let pushing = push(&outbox, ["a", "b"]);
        let bytes = block_on(client.read(6 * message("a1").bytes().len()));
        for pushing in pushing {
            pushing.join().unwrap();
        }
        block_on(answering).unwrap();
        let (texts, is_unfinished) = texts(&bytes);
        assert!(!is_unfinished);
        for name in ["a", "b", "c"] {
            assert_eq!(
                those_of(name, &texts),
                [format!("{name}1"), format!("{name}2")]
            );
        }
        assert_eq!(outbox.next_action(), Action::Wait);
        assert_eq!(queued_bytes.get(), 0);
        writing.abort();
    });
}

#[test]
fn a_socket_that_is_given_up_ends_with_whole_frames_and_without_a_gap() {
    explore(|| {
        let (outbox, client) = connected();
        let queued_bytes = Arc::clone(&outbox.queued_bytes);
        let pushing = push(&outbox, ["a", "b"]);
        let shedding = thread::spawn({
            let outbox = Arc::clone(&outbox);
            move || outbox.shed()
        });
        let serving = spawn(async move {
            write_queued(&outbox, outbox.connection()).await;
            outbox.close(websocket::text("bye"));
            while outbox.next_action() == Action::Write {
                outbox.connection().writable().await.unwrap();
                outbox.write();
            }
            outbox.next_action() == Action::Reset
        });
        let bytes = block_on(client.read(usize::MAX));
        for thread in pushing.into_iter().chain([shedding]) {
            thread.join().unwrap();
        }
        let is_reset = block_on(serving).unwrap();
        let (mut texts, is_unfinished) = texts(&bytes);
        assert_eq!(is_reset, is_unfinished);
        assert!(is_reset || texts.pop().is_some_and(|last| last == "bye"));
        for name in ["a", "b"] {
            let arrived = those_of(name, &texts);
            let pushed = [format!("{name}1"), format!("{name}2")];
            assert!(arrived.iter().eq(&pushed[..arrived.len()]), "{texts:?}");
        }
        assert_eq!(queued_bytes.get(), 0);
    });
}
