use clap::builder::ArgPredicate::IsPresent;
use serde::Serialize;
use utoipa::ToSchema;

use super::values::{self, Endpoint, Secret, parsed, plain_name, switch};

/// Backends that nodes share. Each is chosen independently; without one the node uses an embedded one.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Shared with other nodes")]
pub struct Shared {
    /// Stores uploads and messages in MongoDB, for example `mongodb://user:password@host/tonesa`; the database is
    /// `tonesa` if the path names none. By default SQLite in the data folder
    #[arg(long, env = "MONGO_URL", value_name = "URL", hide_env_values = true)]
    pub mongo_url: Option<Secret>,
    /// Sends frames between nodes, and counts uploads and messages by address, through Redis:
    /// `redis://:password@host:6379`, `rediss://…` (TLS), `redis+cluster://host1,host2,host3` or
    /// `redis+sentinel://host1,host2/master`. By default within the process
    #[arg(long, env = "REDIS_URL", value_name = "URL", hide_env_values = true)]
    pub redis_url: Option<Secret>,
    #[command(flatten)]
    s3: S3,
}

/// A bucket of an S3 server.
#[derive(Debug, Clone, clap::Args)]
pub struct S3 {
    /// Stores images in this bucket of an S3 server; by default in a subfolder of the data folder
    #[arg(long = "s3-bucket-name", env = "S3_BUCKET_NAME", value_name = "NAME", default_value = "",
        hide_default_value = true, value_parser = plain_name, requires_all = ["access_key_id", "secret_access_key"])]
    pub bucket: String,
    /// The address of the S3 server, such as `https://s3.example`; by default Amazon's
    #[arg(long = "s3-endpoint", env = "S3_ENDPOINT", value_name = "URL", hide_env_values = true,
        value_parser = parsed::<Endpoint>(values::ENDPOINT))]
    pub endpoint: Option<Endpoint>,
    /// The region of the bucket
    #[arg(long = "aws-region", env = "AWS_REGION", value_name = "NAME", default_value = "us-east-1",
        value_parser = plain_name)]
    pub region: String,
    /// The access key id; required with a bucket
    #[arg(
        long = "aws-access-key-id",
        env = "AWS_ACCESS_KEY_ID",
        value_name = "SECRET",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    pub access_key_id: Secret,
    /// The secret access key; required with a bucket
    #[arg(
        long = "aws-secret-access-key",
        env = "AWS_SECRET_ACCESS_KEY",
        value_name = "SECRET",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    pub secret_access_key: Secret,
    /// The session token of temporary credentials
    #[arg(
        long = "aws-session-token",
        env = "AWS_SESSION_TOKEN",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub session_token: Option<Secret>,
    /// 1: the bucket is named in the path; 0: in the host name. With `S3_ENDPOINT` the default is 1
    #[arg(long = "s3-path-style", env = "S3_PATH_STYLE", value_name = "0|1", default_value = "0",
        default_value_if("endpoint", IsPresent, "1"), value_parser = switch, action = clap::ArgAction::Set)]
    pub path_style: bool,
    /// 1: image requests are redirected to the S3 server
    #[arg(long = "s3-redirect", env = "S3_REDIRECT", value_name = "0|1", default_value = "0", value_parser = switch,
        action = clap::ArgAction::Set)]
    pub redirect: bool,
    /// The address at which redirected browsers reach the S3 server; by default `S3_ENDPOINT`
    #[arg(long = "s3-public-endpoint", env = "S3_PUBLIC_ENDPOINT", value_name = "URL", hide_env_values = true,
        value_parser = parsed::<Endpoint>(values::ENDPOINT))]
    pub public_endpoint: Option<Endpoint>,
}

/// The names of the backends in use, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Kinds {
    /// Uploads and messages.
    pub store: &'static str,
    /// Image bytes.
    pub blobs: &'static str,
    /// Frames between nodes.
    pub broker: &'static str,
}

impl Shared {
    /// Returns the settings of the images' bucket, if there is one.
    pub fn s3(&self) -> Option<&S3> {
        (!self.s3.bucket.is_empty()).then_some(&self.s3)
    }

    /// Returns the backends that these settings choose.
    pub fn kinds(&self) -> Kinds {
        let kind = |is_set, shared, embedded| if is_set { shared } else { embedded };
        Kinds {
            store: kind(self.mongo_url.is_some(), "mongodb", "sqlite"),
            blobs: kind(self.s3().is_some(), "s3", "folder"),
            broker: kind(self.redis_url.is_some(), "redis", "memory"),
        }
    }
}
