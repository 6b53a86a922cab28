//! Presigned URLs, which give anyone who has one access to an object for a while.
//!
//! User content is then served from the S3 server's origin, without the headers that a node would add. This is safe
//! because the bytes were checked to be an image before they were stored, the content type is part of the signature,
//! and a browser that gets an image type does not interpret the bytes as anything else.

use std::time::{Duration, SystemTime};

use app::model::ShortId;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use http::{Method, Uri};
use tracing::error;

use super::bucket::{Bucket, client_config};
use super::open::{self, OpenError};
use crate::blob::{BlobError, PresignedUrl, ResponseHeaders};
use crate::config;

/// How long every node makes the same URL for an object, so that browsers find it in their cache.
const SIGNING_PERIOD: Duration = Duration::from_mins(30);
/// How long a URL is valid, at least.
const MIN_LIFETIME: Duration = Duration::from_hours(1);

pub(super) struct UrlSigner {
    client: Client,
    bucket: String,
    origin: String,
}

impl UrlSigner {
    pub async fn of(bucket: &Bucket, config: &config::S3) -> Result<Self, OpenError> {
        let public = config.public_endpoint.as_ref();
        let client = client_config(config).to_builder();
        let client = match public {
            Some(endpoint) => client.endpoint_url(endpoint.as_str()),
            None => client,
        };
        let mut url_signer = Self {
            client: Client::from_conf(client.build()),
            bucket: bucket.name.clone(),
            origin: String::new(),
        };
        let headers = ResponseHeaders::default();
        let sample_url = url_signer.sign(
            "key",
            &Method::GET,
            headers,
            SystemTime::now(),
            MIN_LIFETIME,
        );
        url_signer.origin = (sample_url.await.as_deref().ok())
            .and_then(origin)
            .ok_or_else(|| OpenError::NotS3 {
                server: open::server(config),
                cause: "no valid URL results from it".to_owned(),
            })?;
        Ok(url_signer)
    }

    /// Returns the scheme and host of all URLs, as a page's policy names them.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub async fn presign(
        &self,
        key: ShortId,
        method: &Method,
        headers: ResponseHeaders<'_>,
    ) -> Result<PresignedUrl, BlobError> {
        let from = period_start(SystemTime::now());
        let url = self.sign(
            key.as_str(),
            method,
            headers,
            from,
            SIGNING_PERIOD + MIN_LIFETIME,
        );
        let url = url.await.map_err(|error| {
            error!(%error, "no presigned URL can be made for an image");
            BlobError::Unavailable
        })?;
        Ok(PresignedUrl {
            url,
            valid_for: MIN_LIFETIME,
        })
    }

    /// Returns a URL that is valid from then on, for that long. The signature covers everything but the client.
    pub async fn sign(
        &self,
        key: &str,
        method: &Method,
        headers: ResponseHeaders<'_>,
        from: SystemTime,
        valid_for: Duration,
    ) -> Result<String, String> {
        let time = PresigningConfig::builder()
            .start_time(from)
            .expires_in(valid_for);
        let time = time.build().map_err(|error| error.to_string())?;
        if *method == Method::HEAD {
            let call = self.client.head_object().bucket(&self.bucket).key(key);
            let call = call
                .response_content_type(headers.content_type)
                .response_content_disposition(headers.content_disposition)
                .response_cache_control(headers.cache_control);
            url(call.presigned(time).await)
        } else {
            let call = self.client.get_object().bucket(&self.bucket).key(key);
            let call = call
                .response_content_type(headers.content_type)
                .response_content_disposition(headers.content_disposition)
                .response_cache_control(headers.cache_control);
            url(call.presigned(time).await)
        }
    }
}

fn url<E>(signed: Result<PresignedRequest, SdkError<E>>) -> Result<String, String> {
    // The request itself is not logged, since it contains the signature.
    let signed = signed.map_err(|_| "the request cannot be signed".to_owned())?;
    Ok(signed.uri().to_owned())
}

fn origin(url: &str) -> Option<String> {
    let url: Uri = url.parse().ok()?;
    Some(format!("{}://{}", url.scheme()?, url.authority()?))
}

/// Returns the start of the period that contains this time.
fn period_start(now: SystemTime) -> SystemTime {
    let since = now.duration_since(SystemTime::UNIX_EPOCH);
    let periods = since.unwrap_or_default().as_secs() / SIGNING_PERIOD.as_secs();
    SystemTime::UNIX_EPOCH + Duration::from_secs(periods * SIGNING_PERIOD.as_secs())
}
