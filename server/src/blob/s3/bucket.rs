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

use super::error::{is_not_found, trouble};
use crate::blob::BlobError;
use crate::config;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(1);
/// How long the server may take to begin its answer to a call that somebody waits for.
const ANSWER: Duration = Duration::from_millis(1_200);
/// What such a call may take with its second attempt: less than the time in which a missing backend has to be told.
const CALL: Duration = Duration::from_millis(2_500);
/// How long the bytes of an object may fail to come before its reader is told.
const STALL: Duration = Duration::from_secs(5);
/// One attempt, and another one where the first got no answer or was told to come again.
const ATTEMPTS: u32 = 2;
/// The pause before the second attempt.
const PAUSE: Duration = Duration::from_millis(50);
/// For how long a connection is kept that nobody uses: servers close theirs sooner or later, and a call should not
/// meet that.
const IDLE: Duration = Duration::from_secs(15);
/// How many connections are kept that nobody uses.
const MAX_IDLE: usize = 32;

/// The name of an object's metadata that tells which put it comes from.
pub(super) const MARK: &str = "put";

/// A bucket, and two clients for it that share their connections. Those are as many as there are calls at once, and
/// an object that is read has one until its reader is done: no more than the node has requests.
#[derive(Clone)]
pub(super) struct Bucket {
    /// For calls that somebody waits for: they end within [`CALL`].
    pub quick: Client,
    /// For calls of which others say when they have taken too long.
    pub patient: Client,
    pub name: String,
}

impl Bucket {
    pub fn of(config: &config::S3) -> Self {
        let quick = client_config(config);
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT);
        let patient = quick.to_builder().timeout_config(timeouts.build());
        Self {
            patient: Client::from_conf(patient.build()),
            quick: Client::from_conf(quick),
            name: config.bucket.clone(),
        }
    }

    /// The mark of the object with this key, if there is one. An object that somebody else made has an empty one.
    pub async fn mark_of(&self, key: ShortId) -> Result<Option<String>, BlobError> {
        let call = self.quick.head_object().bucket(&self.name);
        match call.key(key.as_str()).send().await {
            Ok(head) => {
                let mark = head.metadata().and_then(|metadata| metadata.get(MARK));
                Ok(Some(mark.cloned().unwrap_or_default()))
            }
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(trouble("looking for an image", &error)),
        }
    }

    pub async fn delete(&self, key: &str) -> Result<(), BlobError> {
        let call = self.quick.delete_object().bucket(&self.name);
        match call.key(key).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_not_found(&error) => Ok(()),
            Err(error) => Err(trouble("removing an image", &error)),
        }
    }

    pub async fn ping(&self) -> Result<(), BlobError> {
        let answered = self.quick.head_bucket().bucket(&self.name).send().await;
        answered
            .map(drop)
            .map_err(|error| trouble("asking for the bucket", &error))
    }
}

/// Settings of a client for calls that somebody waits for.
pub(super) fn client_config(config: &config::S3) -> Config {
    let credentials = Credentials::new(
        config.access_key_id.expose(),
        config.secret_access_key.expose(),
        (config.session_token.as_ref()).map(|token| token.expose().to_owned()),
        None,
        "environment",
    );
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ANSWER)
        .operation_timeout(CALL);
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(PAUSE)
        .with_max_backoff(PAUSE);
    // What is sent is watched by `progress`, which also sees an answer that does not come.
    let stalls = StalledStreamProtectionConfig::enabled()
        .upload_enabled(false)
        .grace_period(STALL);
    let mut client = Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(config.region.clone()))
        .credentials_provider(credentials)
        .force_path_style(config.path_style)
        // Else some servers keep the frames of a checksum as part of the object.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .timeout_config(timeouts.build())
        .retry_config(retries)
        .stalled_stream_protection(stalls.build())
        .http_client(http_client(config));
    client.set_endpoint_url(config.endpoint.as_ref().map(ToString::to_string));
    client.build()
}

/// The system's certificates are read where they are needed only: a server without TLS can do without any.
fn http_client(config: &config::S3) -> SharedHttpClient {
    let endpoint = config.endpoint.as_ref();
    let is_plain = endpoint.is_some_and(|endpoint| endpoint.as_str().starts_with("http:"));
    let trust = TrustStore::empty().with_native_roots(!is_plain);
    let tls = TlsContext::builder().with_trust_store(trust).build();
    Builder::new()
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(MAX_IDLE)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls.expect("the system's certificates need no parsing here"))
        .build_https()
}
