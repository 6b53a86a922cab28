//! Faults that a real server shows rarely, such as a lost answer.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};
use tempfile::TempDir;

use super::helpers::{fixture, read_settings, serve, try_open};
use crate::blob::BlobError;
use crate::blob::conformance::Fixture;

const PUT_ID: &str = "x-amz-meta-put";
const STALL_TIMEOUT: Duration = Duration::from_millis(500);

/// How the server answers the calls that create an object.
#[derive(Clone, Copy, PartialEq)]
enum Behaviour {
    /// It does not support conditional writes.
    Unconditional,
    /// It creates the object of the first call, but answers with an error.
    LosesFirstAnswer,
    /// Another client creates the object first.
    Overtaken,
    /// It reads the bytes and does not answer.
    Silent,
}

/// The server: the put id of its only object, and how many puts it received.
struct Server {
    behaviour: Behaviour,
    object: Mutex<Option<String>>,
    puts: Mutex<usize>,
}

impl Server {
    async fn put(&self, headers: &HeaderMap) -> StatusCode {
        let put_id = headers[PUT_ID].to_str().unwrap().to_owned();
        let is_conditional = headers.contains_key(header::IF_NONE_MATCH);
        let is_first = {
            let mut puts = self.puts.lock().unwrap();
            *puts += 1;
            *puts == 1
        };
        if self.behaviour == Behaviour::Silent {
            return pending().await;
        }
        let mut object = self.object.lock().unwrap();
        match self.behaviour {
            Behaviour::Unconditional if is_conditional => return StatusCode::NOT_IMPLEMENTED,
            Behaviour::Overtaken => *object = Some("another".to_owned()),
            _ => {}
        }
        if is_conditional && object.is_some() {
            return StatusCode::PRECONDITION_FAILED;
        }
        *object = Some(put_id);
        match self.behaviour {
            Behaviour::LosesFirstAnswer if is_first => StatusCode::INTERNAL_SERVER_ERROR,
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
        Some(put_id) => [(PUT_ID, put_id)].into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn list() -> &'static str {
    "<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>"
}

async fn open(behaviour: Behaviour) -> (Arc<Server>, Fixture, TempDir) {
    let server = Arc::new(Server {
        behaviour,
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
    (
        server,
        fixture(blobs.with_stall_timeout(STALL_TIMEOUT)),
        folder,
    )
}

#[tokio::test]
async fn puts_fall_back_when_conditional_writes_are_unsupported() {
    let (server, fixture, _folder) = open(Behaviour::Unconditional).await;
    let key = crate::ids::short_id();
    assert_eq!(fixture.put(key, b"bytes").await, Ok(()));
    assert_eq!(*server.puts.lock().unwrap(), 2);
    assert_eq!(
        fixture.put(key, b"bytes").await,
        Err(BlobError::AlreadyExists)
    );
    *server.object.lock().unwrap() = None;
    assert_eq!(fixture.put(key, b"bytes").await, Ok(()));
    assert_eq!(
        *server.puts.lock().unwrap(),
        3,
        "the fallback is remembered"
    );
}

#[tokio::test]
async fn a_put_whose_answer_was_lost_finds_its_own_object() {
    let (server, fixture, _folder) = open(Behaviour::LosesFirstAnswer).await;
    let key = crate::ids::short_id();
    assert_eq!(fixture.put(key, b"bytes").await, Ok(()));
    assert_eq!(*server.puts.lock().unwrap(), 2);
}

#[tokio::test]
async fn a_put_is_refused_when_another_client_was_first() {
    let (server, fixture, _folder) = open(Behaviour::Overtaken).await;
    let key = crate::ids::short_id();
    assert_eq!(
        fixture.put(key, b"bytes").await,
        Err(BlobError::AlreadyExists)
    );
    assert_eq!(server.object.lock().unwrap().as_deref(), Some("another"));
}

#[tokio::test]
async fn a_put_without_an_answer_fails() {
    let (_server, fixture, _folder) = open(Behaviour::Silent).await;
    let started = Instant::now();
    let put = fixture.put(crate::ids::short_id(), b"bytes").await;
    assert_eq!(put, Err(BlobError::Unavailable));
    assert!(
        started.elapsed() < 4 * STALL_TIMEOUT,
        "{:?}",
        started.elapsed()
    );
}
