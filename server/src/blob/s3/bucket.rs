use std::time::Duration;

use app::model::ShortId;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Config, Credentials, Region, RequestChecksumCalculation,
    ResponseChecksumValidation, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

use super::error::{is_not_found, unavailable};
use crate::blob::BlobError;
use crate::config;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the server may take to begin its answer to a timed call.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1_200);
/// How long a timed call may take with its retry: less than the time within which an unavailable backend is reported.
const CALL_TIMEOUT: Duration = Duration::from_millis(2_500);
/// How long the bytes of an object may stop coming before the read fails.
const READ_STALL_TIMEOUT: Duration = Duration::from_secs(5);
/// One attempt, and another one if the first got no answer or was throttled.
const MAX_ATTEMPTS: u32 = 2;
/// The pause before the second attempt.
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// How long an unused connection is kept: shorter than servers keep theirs, so that a call does not meet a closing one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
/// How many unused connections are kept.
const MAX_IDLE_CONNECTIONS: usize = 32;

/// The name of an object's metadata that identifies the put that created it.
pub(super) const PUT_ID: &str = "put";

/// A bucket, and two clients for it that share their connections. There are as many connections as concurrent calls,
/// and reading an object holds one until the end: no more than the node has requests.
#[derive(Clone)]
pub(super) struct Bucket {
    /// For calls with a time limit, [`CALL_TIMEOUT`].
    pub timed: Client,
    /// For calls whose callers limit the time.
    pub untimed: Client,
    pub name: String,
}

impl Bucket {
    pub fn of(config: &config::S3) -> Self {
        let timed = client_config(config);
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT);
        let untimed = timed.to_builder().timeout_config(timeouts.build());
        Self {
            untimed: Client::from_conf(untimed.build()),
            timed: Client::from_conf(timed),
            name: config.bucket.clone(),
        }
    }

    /// Returns the put id of the object with this key, if there is one. An object from elsewhere has an empty one.
    pub async fn put_id_of(&self, key: ShortId) -> Result<Option<String>, BlobError> {
        let call = self.timed.head_object().bucket(&self.name);
        match call.key(key.as_str()).send().await {
            Ok(head) => {
                let put_id = head.metadata().and_then(|metadata| metadata.get(PUT_ID));
                Ok(Some(put_id.cloned().unwrap_or_default()))
            }
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(unavailable("looking for an image", &error)),
        }
    }

    pub async fn delete(&self, key: &str) -> Result<(), BlobError> {
        let call = self.timed.delete_object().bucket(&self.name);
        match call.key(key).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_not_found(&error) => Ok(()),
            Err(error) => Err(unavailable("removing an image", &error)),
        }
    }

    pub async fn ping(&self) -> Result<(), BlobError> {
        let answered = self.timed.head_bucket().bucket(&self.name).send().await;
        answered
            .map(drop)
            .map_err(|error| unavailable("asking for the bucket", &error))
    }
}

/// The settings of a client for timed calls.
pub(super) fn client_config(config: &config::S3) -> Config {
    let credentials = Credentials::new(
        config.access_key_id.expose(),
        config.secret_access_key.expose(),
        (config.session_token.as_ref()).map(|token| token.expose().to_owned()),
        None,
        "environment",
    );
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT);
    let retries = RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(RETRY_PAUSE)
        .with_max_backoff(RETRY_PAUSE);
    // Stalled uploads are detected by `progress`, which also notices a missing answer.
    let stalls = StalledStreamProtectionConfig::enabled()
        .upload_enabled(false)
        .grace_period(READ_STALL_TIMEOUT);
    let mut client = Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(config.region.clone()))
        .credentials_provider(credentials)
        .force_path_style(config.path_style)
        // Otherwise some servers store the framing of a checksum as part of the object.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .timeout_config(timeouts.build())
        .retry_config(retries)
        .stalled_stream_protection(stalls.build())
        .http_client(http_client(config));
    client.set_endpoint_url(config.endpoint.as_ref().map(ToString::to_string));
    client.build()
}

/// The system's certificates are loaded only for TLS: without it, none need to be installed.
fn http_client(config: &config::S3) -> SharedHttpClient {
    let endpoint = config.endpoint.as_ref();
    let is_plain = endpoint.is_some_and(|endpoint| endpoint.as_str().starts_with("http:"));
    let trust = TrustStore::empty().with_native_roots(!is_plain);
    let tls = TlsContext::builder().with_trust_store(trust).build();
    Builder::new()
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls.expect("the system's certificates need no parsing here"))
        .build_https()
}
