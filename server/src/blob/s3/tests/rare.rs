//! What a good server does seldom and another one always: played by a small one of our own.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};
use tempfile::TempDir;

use super::kit::{fixture, read_settings, serve, try_open};
use crate::blob::BlobError;
use crate::blob::conformance::Fixture;

const MARK: &str = "x-amz-meta-put";
const STALL: Duration = Duration::from_millis(500);

/// How the server answers the calls that make an object.
#[derive(Clone, Copy, PartialEq)]
enum Habit {
    /// It knows no conditions.
    Unconditional,
    /// It makes the object of the first call, but its answer is that something went wrong.
    LosesTheFirstAnswer,
    /// Somebody else makes the object when it is about to.
    IsOvertaken,
    /// It takes the bytes and says nothing.
    Silent,
}

/// The server: the mark of its one object, and how many calls were to make it.
struct Server {
    habit: Habit,
    object: Mutex<Option<String>>,
    puts: Mutex<usize>,
}

impl Server {
    async fn put(&self, headers: &HeaderMap) -> StatusCode {
        let mark = headers[MARK].to_str().unwrap().to_owned();
        let is_conditional = headers.contains_key(header::IF_NONE_MATCH);
        let is_first = {
            let mut puts = self.puts.lock().unwrap();
            *puts += 1;
            *puts == 1
        };
        if self.habit == Habit::Silent {
            return pending().await;
        }
        let mut object = self.object.lock().unwrap();
        match self.habit {
            Habit::Unconditional if is_conditional => return StatusCode::NOT_IMPLEMENTED,
            Habit::IsOvertaken => *object = Some("another".to_owned()),
            _ => {}
        }
        if is_conditional && object.is_some() {
            return StatusCode::PRECONDITION_FAILED;
        }
        *object = Some(mark);
        match self.habit {
            Habit::LosesTheFirstAnswer if is_first => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::OK,
        }
    }
}

async fn put(State(server): State<Arc<Server>>, request: Request) -> StatusCode {
    let (parts, body) = request.into_parts();
    axum::body::to_bytes(body, usize::MAX).await.unwrap();
    server.put(&parts.headers).await
}

async fn head(State(server): State<Arc<Server>>) -> Response {
    let object = server.object.lock().unwrap().clone();
    match object {
        Some(mark) => [(MARK, mark)].into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn list() -> &'static str {
    "<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>"
}

async fn open(habit: Habit) -> (Arc<Server>, Fixture, TempDir) {
    let server = Arc::new(Server {
        habit,
        object: Mutex::default(),
        puts: Mutex::default(),
    });
    let site = Router::new()
        .route("/pictures/", get(list))
        .route("/pictures/{key}", get(head).put(put))
        .with_state(Arc::clone(&server));
    let config = read_settings(&[
        ("S3_BUCKET_NAME", "pictures"),
        ("S3_ENDPOINT", &serve(site).await),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ]);
    let (blobs, folder) = try_open(&config).await.unwrap();
    (server, fixture(blobs.with_stall(STALL)), folder)
}

#[tokio::test]
async fn a_server_without_conditional_writes_is_asked_without() {
    let (server, fixture, _folder) = open(Habit::Unconditional).await;
    let key = crate::ids::short_id();
    assert_eq!(fixture.put(key, b"bytes").await, Ok(()));
    assert_eq!(*server.puts.lock().unwrap(), 2);
    assert_eq!(
        fixture.put(key, b"bytes").await,
        Err(BlobError::AlreadyExists)
    );
    *server.object.lock().unwrap() = None;
    assert_eq!(fixture.put(key, b"bytes").await, Ok(()));
    assert_eq!(*server.puts.lock().unwrap(), 3, "it remembers");
}

#[tokio::test]
async fn a_put_whose_answer_was_lost_finds_its_own_object() {
    let (server, fixture, _folder) = open(Habit::LosesTheFirstAnswer).await;
    let key = crate::ids::short_id();
    assert_eq!(fixture.put(key, b"bytes").await, Ok(()));
    assert_eq!(*server.puts.lock().unwrap(), 2);
}

#[tokio::test]
async fn a_put_that_is_overtaken_is_refused() {
    let (server, fixture, _folder) = open(Habit::IsOvertaken).await;
    let key = crate::ids::short_id();
    assert_eq!(
        fixture.put(key, b"bytes").await,
        Err(BlobError::AlreadyExists)
    );
    assert_eq!(server.object.lock().unwrap().as_deref(), Some("another"));
}

#[tokio::test]
async fn a_put_that_gets_no_answer_is_given_up() {
    let (_server, fixture, _folder) = open(Habit::Silent).await;
    let started = Instant::now();
    let put = fixture.put(crate::ids::short_id(), b"bytes").await;
    assert_eq!(put, Err(BlobError::Unavailable));
    assert!(started.elapsed() < 4 * STALL, "{:?}", started.elapsed());
}
