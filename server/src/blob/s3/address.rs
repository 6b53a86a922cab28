//! Addresses that the bearer can read one object at, for a while.
//!
//! User content is then served from the S3 server's origin, without the headers that a node would add. What makes it
//! safe: the bytes were proven to be a picture before they were kept, the type is part of the signature, and a browser
//! that is told a picture's type takes the bytes for a picture or for nothing.

use std::time::{Duration, SystemTime};

use app::model::ShortId;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use http::{Method, Uri};
use tracing::error;

use super::bucket::{Bucket, client_config};
use super::open::{self, OpenError};
use crate::blob::{Address, BlobError, Labels};
use crate::config;

/// For how long every node makes the same address of an object, so that browsers find it in their cache.
const SLOT: Duration = Duration::from_mins(30);
/// For how long an address is good at least.
const LASTS: Duration = Duration::from_hours(1);

/// Makes addresses.
pub(super) struct Addresses {
    client: Client,
    bucket: String,
    origin: String,
}

impl Addresses {
    pub async fn of(bucket: &Bucket, config: &config::S3) -> Result<Self, OpenError> {
        let public = config.public_endpoint.as_ref();
        let client = client_config(config).to_builder();
        let client = match public {
            Some(endpoint) => client.endpoint_url(endpoint.as_str()),
            None => client,
        };
        let mut addresses = Self {
            client: Client::from_conf(client.build()),
            bucket: bucket.name.clone(),
            origin: String::new(),
        };
        let labels = Labels::default();
        let some = addresses.sign("key", &Method::GET, labels, SystemTime::now(), LASTS);
        addresses.origin = (some.await.as_deref().ok())
            .and_then(origin)
            .ok_or_else(|| OpenError::NotS3 {
                server: open::server(config),
                cause: "no address can be made of it".to_owned(),
            })?;
        Ok(addresses)
    }

    /// What all addresses start with: scheme and host, as a page's policy names them.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub async fn find(
        &self,
        key: ShortId,
        method: &Method,
        labels: Labels<'_>,
    ) -> Result<Address, BlobError> {
        let from = slot(SystemTime::now());
        let url = self.sign(key.as_str(), method, labels, from, SLOT + LASTS);
        let url = url.await.map_err(|error| {
            error!(%error, "no address can be made for an image");
            BlobError::Unavailable
        })?;
        Ok(Address { url, lasts: LASTS })
    }

    /// An address that is good from then on, for that long. Its signature covers everything but who uses it.
    pub async fn sign(
        &self,
        key: &str,
        method: &Method,
        labels: Labels<'_>,
        from: SystemTime,
        lasts: Duration,
    ) -> Result<String, String> {
        let time = PresigningConfig::builder()
            .start_time(from)
            .expires_in(lasts);
        let time = time.build().map_err(|error| error.to_string())?;
        if *method == Method::HEAD {
            let call = self.client.head_object().bucket(&self.bucket).key(key);
            let call = call
                .response_content_type(labels.content_type)
                .response_content_disposition(labels.content_disposition)
                .response_cache_control(labels.cache_control);
            url(call.presigned(time).await)
        } else {
            let call = self.client.get_object().bucket(&self.bucket).key(key);
            let call = call
                .response_content_type(labels.content_type)
                .response_content_disposition(labels.content_disposition)
                .response_cache_control(labels.cache_control);
            url(call.presigned(time).await)
        }
    }
}

fn url<E>(signed: Result<PresignedRequest, SdkError<E>>) -> Result<String, String> {
    // The request itself stays unsaid: it is as good as a key.
    let signed = signed.map_err(|_| "the request cannot be signed".to_owned())?;
    Ok(signed.uri().to_owned())
}

fn origin(address: &str) -> Option<String> {
    let address: Uri = address.parse().ok()?;
    Some(format!("{}://{}", address.scheme()?, address.authority()?))
}

/// The beginning of the slot that this moment lies in.
fn slot(now: SystemTime) -> SystemTime {
    let since = now.duration_since(SystemTime::UNIX_EPOCH);
    let slots = since.unwrap_or_default().as_secs() / SLOT.as_secs();
    SystemTime::UNIX_EPOCH + Duration::from_secs(slots * SLOT.as_secs())
}
