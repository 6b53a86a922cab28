//! What stops the start: a sentence each that names the variable and holds no secret.

use std::path::Path;
use std::time::Duration;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Error;
use thiserror::Error;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::bucket::Bucket;
use super::error::{code, describe, status};
use crate::config;
use crate::fs::folder::FolderError;
use crate::fs::scratch::ScratchFolder;

/// How long the server may take to answer at the start.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why the bucket cannot be used.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Nothing answers there.
    #[error(
        "the S3 server at {server} does not answer ({cause}); S3_ENDPOINT must name one that runs"
    )]
    Unreachable {
        /// Its address.
        server: String,
        /// Why.
        cause: String,
    },
    /// Something else answers there.
    #[error(
        "what answers at {server} does not do so as an S3 server ({cause}); S3_ENDPOINT must name one"
    )]
    NotS3 {
        /// Its address.
        server: String,
        /// What it says.
        cause: String,
    },
    /// The server does not know the key, or the key may not do it.
    #[error(
        "the S3 server at {server} does not let this key list the bucket {bucket} ({cause}); AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, where there is one) must be those of a key that may list, read, \
         write and delete there"
    )]
    Refused {
        /// Its address.
        server: String,
        /// The bucket.
        bucket: String,
        /// What it says.
        cause: String,
    },
    /// There is no such bucket.
    #[error(
        "there is no bucket {bucket} at {server}; make it, or have S3_BUCKET_NAME name one that is there"
    )]
    NoBucket {
        /// Its address.
        server: String,
        /// The bucket.
        bucket: String,
    },
    /// The bucket is somewhere else.
    #[error(
        "the bucket {bucket} is not in {region} ({cause}); AWS_REGION must name the region that it is in"
    )]
    Region {
        /// The bucket.
        bucket: String,
        /// The region that was named.
        region: String,
        /// What the server says.
        cause: String,
    },
    /// The folder for files on their way into the bucket.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// Proves that the bucket is there and the key opens it.
pub(super) async fn prove(bucket: &Bucket, config: &config::S3) -> Result<(), OpenError> {
    let call = bucket.patient.list_objects_v2().bucket(&bucket.name);
    match timeout(PATIENCE, call.max_keys(1).send()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(refusal(&error, config)),
        Err(_) => Err(OpenError::Unreachable {
            server: server(config),
            cause: format!("no answer within {} s", PATIENCE.as_secs()),
        }),
    }
}

fn refusal(error: &SdkError<ListObjectsV2Error>, config: &config::S3) -> OpenError {
    let (server, bucket, cause) = (server(config), config.bucket.clone(), describe(error));
    match (status(error), code(error)) {
        (0, _) => OpenError::Unreachable { server, cause },
        (301 | 307, _) | (_, "AuthorizationHeaderMalformed" | "PermanentRedirect") => {
            let region = config.region.clone();
            OpenError::Region {
                bucket,
                region,
                cause,
            }
        }
        (_, "NoSuchBucket") => OpenError::NoBucket { server, bucket },
        (401 | 403, code) if !code.is_empty() => OpenError::Refused {
            server,
            bucket,
            cause,
        },
        (_, "ExpiredToken" | "InvalidToken") => OpenError::Refused {
            server,
            bucket,
            cause,
        },
        _ => OpenError::NotS3 { server, cause },
    }
}

/// Where the server is, for people.
pub(super) fn server(config: &config::S3) -> String {
    match &config.endpoint {
        Some(endpoint) => endpoint.to_string(),
        None => format!("Amazon's in {}", config.region),
    }
}

pub(super) async fn scratch(folder: &Path) -> Result<ScratchFolder, FolderError> {
    let folder = folder.to_owned();
    spawn_blocking(move || ScratchFolder::make(&folder))
        .await
        .expect("making a folder does not panic, and nobody aborts it")
}
