use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tempfile::TempDir;
use testbed::S3;
use tokio::net::TcpListener;

use crate::blob::conformance::Fixture;
use crate::blob::s3::bucket::Bucket;
use crate::blob::s3::{OpenError, S3Blobs};
use crate::config::{self, Config};

/// Returns the settings of a bucket, with these changes.
pub fn settings(server: &S3, changed: &[(&str, &str)]) -> config::S3 {
    let endpoint = server.endpoint();
    let usual = [
        ("S3_BUCKET_NAME", server.bucket()),
        ("S3_ENDPOINT", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", server.access_key()),
        ("AWS_SECRET_ACCESS_KEY", server.secret_key()),
    ];
    read_settings(&[changed, &usual].concat())
}

/// Parses the settings of a bucket; the first value of a name counts.
pub fn read_settings(variables: &[(&str, &str)]) -> config::S3 {
    let config = Config::from_env(&|name| {
        let set = variables.iter().find(|(key, _)| *key == name);
        set.map(|(_, value)| value.into())
    });
    config.unwrap().shared.s3().unwrap().clone()
}

/// Opens the blobs of these settings, and a folder for their files.
pub async fn try_open(config: &config::S3) -> Result<(S3Blobs, TempDir), OpenError> {
    let folder = tempfile::tempdir().unwrap();
    let blobs = S3Blobs::open(config, folder.path()).await?;
    Ok((blobs, folder))
}

/// Opens the bucket that all tests share.
pub async fn open() -> (Fixture, TempDir) {
    open_at(testbed::shared::s3()).await
}

pub async fn open_at(server: &S3) -> (Fixture, TempDir) {
    let (blobs, folder) = try_open(&settings(server, &[])).await.unwrap();
    (fixture(blobs), folder)
}

pub fn fixture(blobs: S3Blobs) -> Fixture {
    Fixture {
        temp_dir: blobs.temp_dir().to_owned(),
        blobs: Arc::new(blobs),
    }
}

/// Serves this router until the test ends, and returns the address.
pub async fn serve(site: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, site).await });
    endpoint
}

/// Lists the keys of unfinished multipart uploads.
pub async fn unfinished(bucket: &Bucket) -> Vec<String> {
    let call = bucket.untimed.list_multipart_uploads().bucket(&bucket.name);
    let listed = call.send().await.unwrap();
    let keys = listed.uploads().iter().filter_map(|upload| upload.key());
    keys.map(str::to_owned).collect()
}

/// Waits until the condition holds, for half a minute at most.
pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    waited.unwrap_or_else(|_| panic!("timed out waiting for {what}"));
}
