//! Durable posts per second: what 64 concurrent writers get from the program without HTTP, compared with the rows per
//! second that SQLite commits in groups of the same size. `cargo bench -p server --bench posts`.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use app::model::{Content, Kind, MediaType, NewMessage, Upload, UploadId};
use futures::future::join_all;
use rusqlite::{Connection, params};
use server::broker::memory::MemoryBroker;
use server::config::HubIntervals;
use server::hub::metrics::HubMetrics;
use server::hub::posting::Poster;
use server::hub::{Hub, HubLimits};
use server::store::Store;
use server::store::sqlite::SqliteStore;
use server::{clock, ids};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const RUNS: usize = 5;
const RUN_TIME: Duration = Duration::from_secs(3);
/// Concurrent writers, each of which posts the next message when the last one is durable.
const WRITERS: usize = 64;
const AUTHOR: &str = "Mira";
const WORDS: &str = "the shadow on the left side is what I would fix first";

/// The columns, indexes and durability of the program's own database only.
const SCHEMA: &str = "
    PRAGMA journal_mode = wal;
    PRAGMA synchronous = full;
    PRAGMA cache_size = -16384;
    CREATE TABLE messages (
        upload INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        id BLOB NOT NULL,
        author_name TEXT NOT NULL,
        content TEXT NOT NULL,
        client_message_id TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (upload, seq),
        UNIQUE (upload, client_message_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX messages_by_time ON messages (upload, created_at, seq);
";
const INSERT: &str = "INSERT INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

fn main() {
    // Interleaved, so that a slow phase of the machine affects all.
    let runs: Vec<_> = (0..RUNS)
        .map(|_| [sqlite(1), posts(1), sqlite(WRITERS), posts(WRITERS)])
        .collect();
    let column = |index: usize| runs.iter().map(|run| run[index]).collect::<Vec<_>>();
    let ratio = |own: usize, bare: usize| runs.iter().map(|run| run[own] / run[bare]).collect();
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    println!(
        "{RUNS} runs of {RUN_TIME:?}; {WRITERS} writers on {threads} threads and SQLite's, \
         beside commits of {WRITERS} rows"
    );
    print_row("SQLite, one upload, rows/s", column(0), 0);
    print_row("posts to one upload, /s", column(1), 0);
    print_row("… of SQLite's", ratio(1, 0), 2);
    print_row("SQLite, 64 uploads, rows/s", column(2), 0);
    print_row("posts to 64 uploads, /s", column(3), 0);
    print_row("… of SQLite's", ratio(3, 2), 2);
}

/// Prints the median, the least and the greatest value.
fn print_row(what: &str, mut values: Vec<f64>, digits: usize) {
    values.sort_by(f64::total_cmp);
    let (least, most) = (values[0], values[values.len() - 1]);
    let median = values[values.len() / 2];
    println!("{what:32} {median:10.digits$} ({least:.digits$} to {most:.digits$})");
}

/// Returns the rows per second that a bare program commits, one group per commit.
fn sqlite(uploads: usize) -> f64 {
    let folder = tempfile::tempdir().expect("a folder for the database");
    commit_rows(&folder.path().join("bare.db"), uploads).expect("SQLite commits")
}

fn commit_rows(file: &Path, uploads: usize) -> rusqlite::Result<f64> {
    let mut connection = Connection::open(file)?;
    connection.execute_batch(SCHEMA)?;
    let mut heads = vec![0_i64; uploads];
    let mut rows = 0_u32;
    let start = Instant::now();
    while start.elapsed() < RUN_TIME {
        let transaction = connection.transaction()?;
        for writer in 0..WRITERS {
            let upload = writer % uploads;
            heads[upload] += 1;
            transaction.prepare_cached(INSERT)?.execute(params![
                i64::try_from(upload).unwrap_or_default(),
                heads[upload],
                ids::message_id().as_bytes(),
                AUTHOR,
                WORDS,
                ids::client_message_id().as_str(),
                clock::now().unix_millis(),
            ])?;
            rows += 1;
        }
        transaction.commit()?;
    }
    Ok(f64::from(rows) / start.elapsed().as_secs_f64())
}

/// Returns the posts per second of the program: from the poster, which HTTP calls, to the disk, and published.
fn posts(uploads: usize) -> f64 {
    let folder = tempfile::tempdir().expect("a folder for the database");
    Runtime::new().expect("a runtime").block_on(async {
        let store = Arc::new(SqliteStore::open(folder.path()).expect("a new database"));
        let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
        let poster = Poster::new(Arc::clone(&store) as _, hub(&store, &tasks, &shutdown));
        let uploads = NonZeroUsize::new(uploads).expect("at least one");
        let uploads = stored(&store, uploads).await;
        let start = Instant::now();
        let writers = (0..WRITERS).map(|writer| {
            let upload = uploads[writer % uploads.len()];
            tokio::spawn(post(poster.clone(), upload, start))
        });
        let answers: u32 = join_all(writers)
            .await
            .into_iter()
            .map(Result::unwrap)
            .sum();
        let rate = f64::from(answers) / start.elapsed().as_secs_f64();
        shutdown.cancel();
        tasks.close();
        tasks.wait().await;
        store.close().await;
        rate
    })
}

fn hub(store: &Arc<SqliteStore>, tasks: &TaskTracker, shutdown: &CancellationToken) -> Hub {
    let limits = HubLimits {
        touches_per_second: 0,
        intervals: HubIntervals::default(),
    };
    Hub::start(
        Arc::new(MemoryBroker::new(Arc::default())),
        Arc::clone(store) as _,
        limits,
        HubMetrics::default(),
        tasks.clone(),
        shutdown.clone(),
    )
}

async fn post(poster: Poster, upload: UploadId, start: Instant) -> u32 {
    let mut count = 0;
    while start.elapsed() < RUN_TIME {
        let message = NewMessage {
            author_name: AUTHOR.parse().expect("a name"),
            content: WORDS.parse().expect("a text"),
            client_message_id: ids::client_message_id(),
            at: None,
            author: None,
        };
        poster
            .post(upload, message, None)
            .await
            .expect("the store takes it");
        count += 1;
    }
    count
}

async fn stored(store: &SqliteStore, count: NonZeroUsize) -> Vec<UploadId> {
    let mut ids = Vec::new();
    for _ in 0..count.get() {
        let upload = upload();
        ids.push(upload.id);
        store
            .insert_upload(upload, None)
            .await
            .expect("a new upload");
    }
    ids
}

fn upload() -> Upload {
    let short_id = ids::short_id();
    Upload {
        id: ids::upload_id(),
        short_id,
        kind: Kind::Image,
        content: Content {
            url: format!("/i/{short_id}"),
            media_type: MediaType::Png,
            size: 1,
            width: 1,
            height: 1,
        },
        created_at: clock::now(),
        expires_at: None,
    }
}
