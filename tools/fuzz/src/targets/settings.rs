//! Settings that are addresses, lists and numbers: any text is taken, or refused by a sentence that names the variable.
//! The address of Redis is only parsed.

use server::broker::redis::url;
use server::config::Config;

const VARIABLES: [&str; 15] = [
    "PUBLIC_URL",
    "REDIS_URL",
    "MONGO_URL",
    "S3_ENDPOINT",
    "S3_PUBLIC_ENDPOINT",
    "S3_BUCKET_NAME",
    "AWS_REGION",
    "TONESA_CONTACT",
    "TONESA_ALLOWED_ORIGINS",
    "TONESA_FRAME_ANCESTORS",
    "TONESA_TRUSTED_PROXIES",
    "TONESA_BIND",
    "TONESA_LOG",
    "TONESA_MAX_UPLOAD_BYTES",
    "TONESA_ADMIN_TOKEN",
];

/// The first byte is which variable the rest is the value of.
pub fn run(bytes: &[u8]) {
    let Some((which, value)) = bytes.split_first() else {
        return;
    };
    let Ok(value) = str::from_utf8(value) else {
        return;
    };
    let variable = VARIABLES[usize::from(*which) % VARIABLES.len()];
    if variable == "REDIS_URL" {
        _ = url::parse(value);
        return;
    }
    let config = Config::from_env(&|name| (name == variable).then(|| value.into()));
    match config {
        Ok(config) => is_read_again(&config),
        Err(error) => {
            let message = error.to_string();
            assert!(message.contains(variable), "{message}");
        }
    }
}

/// What was understood means the same when it is written as it was understood.
fn is_read_again(config: &Config) {
    if let Some(url) = &config.public_url {
        assert_eq!(url.as_str().parse().as_ref(), Ok(url));
    }
}
