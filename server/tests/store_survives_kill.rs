//! Acknowledged messages survive killing the process at any time.
//!
//! The test starts itself again as a child that writes, reads what the child acknowledges, kills it, and checks the
//! store.

#![allow(
    clippy::unwrap_used,
    reason = "a test; clippy takes its helpers for something else"
)]

use std::collections::HashMap;
use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use app::model::{
    Content, Kind, MediaType, Message, MessageId, NewMessage, Seq, ShortId, Timestamp, Upload,
    UploadId, UploadRef,
};
use server::store::sqlite::SqliteStore;
use server::store::{Appended, Draft, Select, Store};

/// Set for the child: the data folder.
const FOLDER: &str = "TONESA_TEST_KILLED_FOLDER";
/// The prefix of the child's lines that report what is stored.
const ACKNOWLEDGED: &str = "acknowledged ";
const KILLS: u8 = 5;
const WRITERS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_acknowledged_survives_a_kill() {
    if let Some(folder) = env::var_os(FOLDER) {
        return write_until_killed(Path::new(&folder)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = HashMap::new();
    for kill in 0..KILLS {
        let new_ones = acknowledgements_until_killed(folder.path());
        assert!(!new_ones.is_empty(), "the child wrote something");
        acknowledged.extend(new_ones);
        let store = SqliteStore::open(folder.path()).unwrap();
        let stored = conversation(&store).await;
        for (name, seq) in &acknowledged {
            assert_eq!(stored.get(name), Some(seq), "after kill {kill}");
        }
        store.close().await;
    }
}

/// Runs the child for a random time; returns what it acknowledged, by `clientMessageID`.
fn acknowledgements_until_killed(folder: &Path) -> HashMap<String, u64> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "everything_acknowledged_survives_a_kill"])
        .arg("--nocapture")
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines
        .map_while(Result::ok)
        .filter_map(|line| Some(line.strip_prefix(ACKNOWLEDGED)?.to_owned()));
    // The time starts with the first acknowledgement, so that the test is not passed by a slow start.
    let first = lines.next();
    let killer = thread::spawn(move || kill_at_random(child));
    let acknowledged = first.into_iter().chain(lines);
    let acknowledged = acknowledged.filter_map(|line| {
        // The kill may cut off the last line.
        let (name, seq) = line.strip_suffix('.')?.split_once(' ')?;
        Some((name.to_owned(), seq.parse().unwrap()))
    });
    let acknowledged = acknowledged.collect();
    killer.join().unwrap();
    acknowledged
}

fn kill_at_random(mut child: Child) {
    thread::sleep(Duration::from_millis(rand::random_range(20..600)));
    // SIGKILL on Unix.
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), None, "the child did not end by itself");
}

/// Returns the sequence numbers of the stored messages, by `clientMessageID`, and checks that there are no holes.
async fn conversation(store: &SqliteStore) -> HashMap<String, u64> {
    let mut all: Vec<Message> = Vec::new();
    loop {
        let last = all.last().map_or(Seq::ZERO, |message| message.seq);
        let select = Select::After(last);
        let page = store.entries(upload().id, select, 200).await.unwrap();
        if page.entries.is_empty() {
            assert_eq!(page.head, last);
            break;
        }
        all.extend(page.messages().cloned());
    }
    let seqs = all.iter().map(|message| message.seq.get());
    assert!(seqs.eq(1..=all.len() as u64), "there is no hole");
    let by_name: HashMap<_, _> = all
        .iter()
        .map(|message| (message.client_message_id.to_string(), message.seq.get()))
        .collect();
    assert_eq!(by_name.len(), all.len(), "nothing is stored twice");
    by_name
}

/// The child: writers that append and report what is stored, forever.
async fn write_until_killed(folder: &Path) {
    let store = Arc::new(SqliteStore::open(folder).unwrap());
    if store.upload(UploadRef::Id(upload().id)).await.is_err() {
        store.insert_upload(upload(), None).await.unwrap();
    }
    let writers = (0..WRITERS).map(|size| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            loop {
                append(&store, 1 + size % 3).await;
            }
        })
    });
    futures::future::join_all(writers).await;
}

async fn append(store: &SqliteStore, size: usize) {
    let drafts = (0..size).map(|_| draft()).collect();
    for appended in store.append(upload().id, drafts).await.unwrap() {
        let Appended::New(message) = appended else {
            panic!("every draft is new");
        };
        let (name, seq) = (&message.client_message_id, message.seq);
        println!("{ACKNOWLEDGED}{name} {seq}.");
    }
}

fn draft() -> Draft {
    let id = MessageId::from_bytes(rand::random());
    Draft {
        id,
        message: NewMessage {
            author_name: "a writer".parse().unwrap(),
            content: "it will be there".parse().unwrap(),
            client_message_id: id.to_string().parse().unwrap(),
            at: None,
            author: None,
        },
        created_at: moment(),
        owner: None,
    }
}

fn moment() -> Timestamp {
    "2026-11-24T12:00:00.123Z".parse().unwrap()
}

/// The upload that every child appends to.
fn upload() -> Upload {
    let short_id: ShortId = "aB3dE9xZ".parse().unwrap();
    Upload {
        id: UploadId::from_bytes([7; 12]),
        short_id,
        kind: Kind::Image,
        content: Content {
            url: format!("/i/{short_id}"),
            media_type: MediaType::Png,
            size: 1,
            width: 1,
            height: 1,
        },
        created_at: moment(),
        expires_at: None,
    }
}
