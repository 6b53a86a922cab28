//! Outages of a backend: 503 with `Retry-After` within 3 s, and nothing half-written is visible afterwards.

use std::time::{Duration, Instant};

use crate::common::faults::{Mode, Switch, Switches};
use crate::common::{TestNode, header, pictures, problem};
use app::model::LogPage;
use axum::extract::State;
use futures::future::{join, join_all};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use server::http::routes::health;

const MAX_ERROR_TIME: Duration = Duration::from_secs(3);

async fn node() -> (TestNode, Switches) {
    let switches = Switches::default();
    let node = TestNode::with_backends(&[], |backends| switches.wrap(backends)).await;
    (node, switches)
}

async fn fails_in_time(request: RequestBuilder) {
    let started = Instant::now();
    let response = request.send().await.unwrap();
    assert!(
        started.elapsed() < MAX_ERROR_TIME,
        "{:?}",
        started.elapsed()
    );
    let wait: u64 = header(response.headers(), "retry-after").parse().unwrap();
    assert!(wait >= 1);
    problem(response, 503, "unavailable").await;
}

/// Makes every call that needs the backend, while it fails and while it hangs.
async fn fails_in_time_for(paths: &[String], node: &TestNode, switch: &Switch) {
    for mode in [Mode::Unavailable, Mode::Hanging] {
        switch.set(mode);
        let requests = paths.iter().map(|path| fails_in_time(node.get(path)));
        join_all(requests).await;
    }
    switch.set(Mode::Working);
    for path in paths {
        assert_eq!(
            node.get(path).send().await.unwrap().status(),
            StatusCode::OK,
            "{path}"
        );
    }
}

#[tokio::test]
async fn reads_fail_in_time_when_the_store_is_unavailable() {
    let (node, switches) = node().await;
    let upload = node.uploaded().await;
    let paths = [
        format!("/api/uploads/{}", upload.id),
        format!("/api/uploads/{}/messages", upload.id),
        format!("/api/uploads/{}/messages", upload.short_id),
        format!("/i/{}", upload.short_id),
    ];
    fails_in_time_for(&paths, &node, &switches.store).await;
}

#[tokio::test]
async fn an_image_fails_in_time_when_the_blobs_are_unavailable() {
    let (node, switches) = node().await;
    let upload = node.uploaded().await;
    fails_in_time_for(&[upload.content.url], &node, &switches.blobs).await;
}

#[tokio::test]
async fn a_page_fails_in_time_when_the_store_is_unavailable() {
    let (node, switches) = node().await;
    let upload = node.uploaded().await;
    for mode in [Mode::Unavailable, Mode::Hanging] {
        switches.store.set(mode);
        let started = Instant::now();
        let path = format!("/u/{}", upload.short_id);
        let response = node.get(&path).send().await.unwrap();
        assert!(
            started.elapsed() < MAX_ERROR_TIME,
            "{:?}",
            started.elapsed()
        );
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            header(response.headers(), "content-type"),
            "text/html; charset=utf-8"
        );
        assert!(!header(response.headers(), "retry-after").is_empty());
    }
}

#[tokio::test]
async fn an_upload_leaves_nothing_visible_when_a_backend_is_unavailable() {
    let (node, switches) = node().await;
    for switch in [&switches.store, &switches.blobs] {
        for mode in [Mode::Unavailable, Mode::Hanging] {
            switch.set(mode);
            let form = crate::common::file_form(pictures::png(3, 2));
            fails_in_time(node.post("/api/uploads").multipart(form)).await;
            switch.set(Mode::Working);
            assert_eq!(node.temporary_files(), 0);
        }
    }
    assert_eq!(
        node.upload(pictures::png(3, 2)).await.status(),
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn a_message_that_was_refused_can_be_posted_again() {
    let (node, switches) = node().await;
    let upload = node.uploaded().await;
    let path = format!("/api/uploads/{}/messages", upload.id);
    let body = json!({"content": "hello", "clientMessageID": "m1"});
    for mode in [Mode::Unavailable, Mode::Hanging] {
        switches.store.set(mode);
        fails_in_time(node.post(&path).json(&body)).await;
        if matches!(mode, Mode::Hanging) {
            // The first append of this conversation still hangs, and another one would wait for it.
            continue;
        }
        switches.store.set(Mode::Working);
        let page: LogPage = node.get(&path).send().await.unwrap().json().await.unwrap();
        assert!(page.entries.is_empty());
    }
    switches.store.set(Mode::Working);
    let other = node.uploaded().await;
    let again = node.post_message(other.short_id.as_str(), &body).await;
    assert_eq!(again.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_message_is_posted_even_if_the_broker_is_unavailable() {
    let (node, switches) = node().await;
    let upload = node.uploaded().await;
    switches.broker.set(Mode::Unavailable);
    node.post_texts(&upload, &["hello"]).await;
}

#[tokio::test]
async fn readiness_names_the_unavailable_backend() {
    let (node, switches) = node().await;
    for (name, switch) in [
        ("store", &switches.store),
        ("blobs", &switches.blobs),
        ("broker", &switches.broker),
    ] {
        for mode in [Mode::Unavailable, Mode::Hanging] {
            switch.set(mode);
            let started = Instant::now();
            let response = node.get("/readyz").send().await.unwrap();
            assert!(
                started.elapsed() < MAX_ERROR_TIME,
                "{:?}",
                started.elapsed()
            );
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            let health: Value = response.json().await.unwrap();
            assert_eq!(health["status"], "away");
            assert_eq!(health["kinds"]["store"], "sqlite");
            for backend in ["store", "blobs", "broker"] {
                let expected = if backend == name { "away" } else { "ok" };
                assert_eq!(health["backends"][backend], expected, "{backend}");
            }
            let alive = node.get("/livez").send().await.unwrap();
            assert_eq!(alive.status(), StatusCode::OK);
        }
        switch.set(Mode::Working);
    }
}

#[tokio::test]
async fn a_panic_fails_one_request_without_details() {
    let (node, switches) = node().await;
    let upload = node.uploaded().await;
    switches.store.set(Mode::Panicking);
    let path = format!("/api/uploads/{}", upload.id);
    let document = problem(node.get(&path).send().await.unwrap(), 500, "internal").await;
    assert!(!document.to_string().contains("panicked"), "{document}");
    problem(node.upload(pictures::png(3, 2)).await, 500, "internal").await;
    let page = node
        .get(&format!("/u/{}", upload.short_id))
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), StatusCode::INTERNAL_SERVER_ERROR);
    switches.store.set(Mode::Working);
    assert_eq!(
        node.get(&path).send().await.unwrap().status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn concurrent_readiness_checks_share_the_calls_of_the_backends() {
    let (node, switches) = node().await;
    let node = &node.node;
    let check = || {
        health::ready(
            State(node.store.clone()),
            State(node.blobs.clone()),
            State(node.broker.clone()),
            State(node.checks.clone()),
            State(node.config.clone()),
            State(node.sweep.clone()),
            State(node.stopping.clone()),
        )
    };
    let before = switches.store.calls();
    switches.store.set(Mode::Blocked);
    let checks = join_all((0..20).map(|_| check()));
    let (answers, ()) = join(checks, async { switches.store.set(Mode::Working) }).await;
    assert!(answers.iter().all(|it| it.status() == StatusCode::OK));
    // One for the first, and one for all that came while it was under way.
    assert_eq!(switches.store.calls() - before, 2);
}
