//! Checks the bucket at the start. Error messages name the setting and contain no secret.

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

/// How long the server may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the bucket cannot be used. Causes are texts by `describe`, which contain no secret.
#[derive(Debug, Error)]
pub enum OpenError {
    /// There is no answer.
    #[error(
        "the S3 server at {server} does not answer ({cause}); S3_ENDPOINT must name one that runs"
    )]
    Unreachable {
        /// The server's address.
        server: String,
        /// The driver's error.
        cause: String,
    },
    /// The answer is not an S3 server's.
    #[error("{server} is not an S3 server ({cause}); S3_ENDPOINT must name one")]
    NotS3 {
        /// The server's address.
        server: String,
        /// The server's response.
        cause: String,
    },
    /// The credentials are wrong or lack permissions.
    #[error(
        "the S3 server at {server} does not let this key list the bucket {bucket} ({cause}); AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, where there is one) must be those of a key that may list, read, \
         write and delete there"
    )]
    Refused {
        /// The server's address.
        server: String,
        /// The bucket's name.
        bucket: String,
        /// The server's response.
        cause: String,
    },
    /// The bucket does not exist.
    #[error(
        "there is no bucket {bucket} at {server}; create it, or name an existing one in S3_BUCKET_NAME"
    )]
    NoBucket {
        /// The server's address.
        server: String,
        /// The bucket's name.
        bucket: String,
    },
    /// The bucket is in another region.
    #[error(
        "the bucket {bucket} is not in {region} ({cause}); AWS_REGION must name the region that it is in"
    )]
    Region {
        /// The bucket's name.
        bucket: String,
        /// The region in the settings.
        region: String,
        /// The server's response.
        cause: String,
    },
    /// The folder for files to be uploaded cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// Checks that the bucket exists and the credentials give access.
pub(super) async fn check_bucket(bucket: &Bucket, config: &config::S3) -> Result<(), OpenError> {
    let call = bucket.untimed.list_objects_v2().bucket(&bucket.name);
    match timeout(ANSWER_TIMEOUT, call.max_keys(1).send()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(refusal(&error, config)),
        Err(_) => Err(OpenError::Unreachable {
            server: server(config),
            cause: format!("no answer within {} s", ANSWER_TIMEOUT.as_secs()),
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

/// Returns the server's address for error messages.
pub(super) fn server(config: &config::S3) -> String {
    match &config.endpoint {
        Some(endpoint) => endpoint.to_string(),
        None => format!("Amazon's in {}", config.region),
    }
}

pub(super) async fn create_scratch(folder: &Path) -> Result<ScratchFolder, FolderError> {
    let folder = folder.to_owned();
    spawn_blocking(move || ScratchFolder::create(&folder))
        .await
        .expect("creating a folder does not panic, and the task is not aborted")
}
