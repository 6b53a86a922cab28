use super::reader::{ConfigError, Reader};
use super::secret::Secret;
use super::values::{self, Endpoint};

/// What nodes share. Each is chosen by itself; where one is not set, this process's own serves.
#[derive(Debug, Clone, Default)]
pub struct Shared {
    /// `MONGO_URL`: uploads and messages. A connection string, with the database's name or `tonesa`.
    pub mongo_url: Option<Secret>,
    /// `REDIS_URL`: frames between nodes.
    pub redis_url: Option<Secret>,
    /// `S3_BUCKET_NAME` and what goes with it: image bytes.
    pub s3: Option<S3>,
}

/// A bucket of an S3 server.
#[derive(Debug, Clone)]
pub struct S3 {
    /// `S3_BUCKET_NAME`
    pub bucket: String,
    /// `S3_ENDPOINT`: the server's address; Amazon's own unless told.
    pub endpoint: Option<Endpoint>,
    /// `S3_PUBLIC_ENDPOINT`: where browsers reach the server that is redirected to; at its address unless told.
    pub public_endpoint: Option<Endpoint>,
    /// `AWS_REGION`
    pub region: String,
    /// `AWS_ACCESS_KEY_ID`
    pub access_key_id: Secret,
    /// `AWS_SECRET_ACCESS_KEY`
    pub secret_access_key: Secret,
    /// `AWS_SESSION_TOKEN`, of credentials that expire.
    pub session_token: Option<Secret>,
    /// `S3_PATH_STYLE`: the bucket stands in the path instead of the host's name; so it does with an `S3_ENDPOINT`,
    /// unless told.
    pub path_style: bool,
    /// `S3_REDIRECT`: images are served by a redirect to the S3 server instead of through the node.
    pub redirect: bool,
}

const BUCKET: &str = "S3_BUCKET_NAME";
const REGION: &str = "AWS_REGION";

impl Shared {
    pub(super) fn from_env(env: &Reader<'_>) -> Result<Self, ConfigError> {
        let s3 = env.text(BUCKET)?.map(|bucket| S3::from_env(env, bucket));
        Ok(Self {
            mongo_url: env.secret("MONGO_URL")?,
            redis_url: env.secret("REDIS_URL")?,
            s3: s3.transpose()?,
        })
    }
}

impl S3 {
    fn from_env(env: &Reader<'_>, bucket: String) -> Result<Self, ConfigError> {
        let needed = |name| {
            let secret = env.secret(name)?;
            secret.ok_or(ConfigError::Missing {
                name,
                because: BUCKET,
            })
        };
        let endpoint = values::endpoint(env, "S3_ENDPOINT")?;
        Ok(Self {
            bucket: values::plain_name(BUCKET, bucket)?,
            region: match env.text(REGION)? {
                Some(region) => values::plain_name(REGION, region)?,
                None => "us-east-1".to_owned(),
            },
            access_key_id: needed("AWS_ACCESS_KEY_ID")?,
            secret_access_key: needed("AWS_SECRET_ACCESS_KEY")?,
            session_token: env.secret("AWS_SESSION_TOKEN")?,
            path_style: env.switch("S3_PATH_STYLE", endpoint.is_some())?,
            redirect: env.switch("S3_REDIRECT", false)?,
            public_endpoint: values::endpoint(env, "S3_PUBLIC_ENDPOINT")?,
            endpoint,
        })
    }
}
