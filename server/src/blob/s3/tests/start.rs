//! Wrong settings are refused with an error that names them.

use axum::Router;
use http::StatusCode;
use tokio::net::TcpListener;

use super::helpers::{serve, settings, try_open};
use crate::blob::s3::OpenError;

async fn refused(changed: &[(&str, &str)]) -> OpenError {
    let server = testbed::shared::s3();
    let opened = try_open(&settings(server, changed)).await;
    let error = opened.map(drop).unwrap_err();
    let message = format!("{error} {error:?}");
    for secret in [server.access_key(), server.secret_key(), "not-the-key"] {
        assert!(!message.contains(secret), "{message}");
    }
    error
}

fn names(error: &OpenError, variable: &str) {
    assert!(error.to_string().contains(variable), "{error}");
}

#[tokio::test]
async fn a_missing_bucket_is_named() {
    let error = refused(&[("S3_BUCKET_NAME", "no-such-bucket")]).await;
    assert!(matches!(error, OpenError::NoBucket { .. }), "{error:?}");
    names(&error, "S3_BUCKET_NAME");
    names(&error, "no-such-bucket");
}

#[tokio::test]
async fn a_wrong_key_is_reported_without_showing_it() {
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        let error = refused(&[(name, "not-the-key")]).await;
        assert!(matches!(error, OpenError::Refused { .. }), "{error:?}");
        names(&error, name);
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    // First the server does not answer, then its port is closed.
    let silent = refused(&[("S3_ENDPOINT", &endpoint)]).await;
    drop(listener);
    let gone = refused(&[("S3_ENDPOINT", &endpoint)]).await;
    let nowhere = refused(&[("S3_ENDPOINT", "http://s3.invalid")]).await;
    for (error, address) in [
        (silent, &*endpoint),
        (gone, &endpoint),
        (nowhere, "http://s3.invalid"),
    ] {
        assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
        names(&error, "S3_ENDPOINT");
        names(&error, address);
    }
}

#[tokio::test]
async fn another_kind_of_server_is_recognised() {
    for (status, body) in [
        (StatusCode::OK, "<p>Welcome"),
        (StatusCode::OK, "{}"),
        (StatusCode::FORBIDDEN, "no"),
        (StatusCode::NOT_FOUND, "nothing"),
    ] {
        let site = Router::new().fallback(move || async move { (status, body) });
        let error = refused(&[("S3_ENDPOINT", &serve(site).await)]).await;
        assert!(matches!(error, OpenError::NotS3 { .. }), "{error:?}");
        names(&error, "S3_ENDPOINT");
    }
}

#[tokio::test]
async fn a_bucket_of_another_region_names_the_setting() {
    let moved = "<Error><Code>PermanentRedirect</Code><Message>Elsewhere.</Message></Error>";
    let site =
        Router::new().fallback(move || async move { (StatusCode::MOVED_PERMANENTLY, moved) });
    let error = refused(&[("S3_ENDPOINT", &serve(site).await)]).await;
    assert!(matches!(error, OpenError::Region { .. }), "{error:?}");
    names(&error, "AWS_REGION");
}
