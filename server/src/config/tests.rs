use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::from_env(&|name| {
        variables
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.into())
    })
}

#[test]
fn an_empty_environment_gives_the_documented_defaults() {
    let config = read(&[]).unwrap();
    assert_eq!(config.address().to_string(), "127.0.0.1:9091");
    assert_eq!(config.public_url, None);
    assert_eq!(config.data_dir, PathBuf::from("data"));
    assert!(config.site_dir.ends_with("site"));
    assert!(config.trusted_proxies.is_empty());
    assert_eq!(config.log_filter().to_string(), "info");
    assert!(config.sweep.is_on);
    assert!(!config.is_indexed);
    assert_eq!(config.contact, None);
    assert!(config.allowed_origins.is_empty());
    assert!(config.frame_ancestors.is_empty());
    let limits = config.limits;
    assert_eq!(limits.upload_bytes, 20 * 1024 * 1024);
    assert_eq!(limits.stored_bytes, 0);
    assert_eq!(limits.free_bytes, 256 * 1024 * 1024);
    assert_eq!(limits.image.pixels, 64_000_000);
    assert_eq!(limits.image.animation_pixels, 400_000_000);
    assert_eq!(limits.uploads_per_minute, 30);
    assert_eq!(limits.messages_per_minute, 120);
    assert_eq!(limits.touches_per_second, 20);
    assert_eq!(limits.sockets, 20_000);
    assert_eq!(limits.sockets_per_address, 1_000);
    assert_eq!(limits.connections, 10_000);
    assert_eq!(limits.connections_per_address, 1_000);
    assert_eq!(limits.pictures_per_minute, 120);
    assert_eq!(limits.misses_per_minute, 120);
}

#[test]
fn every_variable_is_read() {
    let config = read(&[
        ("PORT", "8080"),
        ("TONESA_BIND", "::"),
        ("PUBLIC_URL", "https://Tonesa.Example/"),
        ("TONESA_DATA_DIR", "/var/lib/tonesa"),
        ("TONESA_SITE_DIR", "/usr/share/tonesa"),
        ("TONESA_MAX_UPLOAD_BYTES", "1000"),
        ("TONESA_MAX_STORED_BYTES", "12"),
        ("TONESA_MIN_FREE_BYTES", "13"),
        ("TONESA_MAX_PIXELS", "2000"),
        ("TONESA_MAX_ANIMATION_PIXELS", "3000"),
        ("TONESA_UPLOADS_PER_MINUTE", "0"),
        ("TONESA_MESSAGES_PER_MINUTE", "4"),
        ("TONESA_TOUCHES_PER_SECOND", "5"),
        ("TONESA_MAX_SOCKETS", "6"),
        ("TONESA_MAX_SOCKETS_PER_ADDRESS", "7"),
        ("TONESA_MAX_CONNECTIONS", "8"),
        ("TONESA_MAX_CONNECTIONS_PER_ADDRESS", "9"),
        ("TONESA_MISSES_PER_MINUTE", "10"),
        ("TONESA_PICTURES_PER_MINUTE", "11"),
        ("TONESA_TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
        ("TONESA_INDEX", "1"),
        ("TONESA_CONTACT", "mailto:abuse@tonesa.example"),
        ("TONESA_ALLOWED_ORIGINS", "https://a.example"),
        ("TONESA_FRAME_ANCESTORS", "*"),
        ("TONESA_SWEEP", "0"),
        ("TONESA_LOG", "debug"),
        ("RUST_LOG", "warn"),
    ])
    .unwrap();
    assert_eq!(config.address().to_string(), "[::]:8080");
    assert_eq!(
        config.public_url.as_ref().unwrap().as_str(),
        "https://tonesa.example"
    );
    assert_eq!(config.data_dir, PathBuf::from("/var/lib/tonesa"));
    assert_eq!(config.site_dir, PathBuf::from("/usr/share/tonesa"));
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.log_filter().to_string(), "debug");
    assert!(!config.sweep.is_on);
    assert!(config.is_indexed);
    assert!(config.allowed_origins.contains(b"https://a.example"));
    assert_eq!(config.frame_ancestors, Origins::Any);
    assert_eq!(
        config.contact.unwrap().to_string(),
        "mailto:abuse@tonesa.example"
    );
    let limits = config.limits;
    assert_eq!(limits.upload_bytes, 1000);
    assert_eq!(limits.stored_bytes, 12);
    assert_eq!(limits.free_bytes, 13);
    assert_eq!(limits.image.pixels, 2000);
    assert_eq!(limits.image.animation_pixels, 3000);
    assert_eq!(limits.uploads_per_minute, 0);
    assert_eq!(limits.messages_per_minute, 4);
    assert_eq!(limits.touches_per_second, 5);
    assert_eq!(limits.sockets, 6);
    assert_eq!(limits.sockets_per_address, 7);
    assert_eq!(limits.connections, 8);
    assert_eq!(limits.connections_per_address, 9);
    assert_eq!(limits.misses_per_minute, 10);
    assert_eq!(limits.pictures_per_minute, 11);
}

#[test]
fn a_wrong_value_is_refused_naming_the_variable() {
    for (name, value) in [
        ("PORT", "65536"),
        ("PORT", "http"),
        ("TONESA_BIND", "localhost"),
        ("PUBLIC_URL", "tonesa.example"),
        ("PUBLIC_URL", "ftp://tonesa.example"),
        ("PUBLIC_URL", "https://tonesa.example:99999"),
        ("PUBLIC_URL", "https://tonesa.example/path"),
        ("PUBLIC_URL", "https://tonesa.example?query"),
        ("PUBLIC_URL", "https://user:secret@tonesa.example"),
        ("TONESA_MAX_UPLOAD_BYTES", "20 MiB"),
        ("TONESA_MAX_UPLOAD_BYTES", "0"),
        ("TONESA_MAX_PIXELS", "-1"),
        ("TONESA_MAX_ANIMATION_PIXELS", "1e9"),
        ("TONESA_UPLOADS_PER_MINUTE", "many"),
        ("TONESA_MESSAGES_PER_MINUTE", "1.5"),
        ("TONESA_TOUCHES_PER_SECOND", "99999999999"),
        ("TONESA_MAX_SOCKETS", "0"),
        ("TONESA_MAX_SOCKETS_PER_ADDRESS", "none"),
        ("TONESA_MAX_CONNECTIONS", "0"),
        ("TONESA_MAX_CONNECTIONS_PER_ADDRESS", "-1"),
        ("TONESA_MISSES_PER_MINUTE", "few"),
        ("TONESA_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("TONESA_TRUSTED_PROXIES", "10.0.0.0/8, proxy"),
        ("TONESA_INDEX", "yes"),
        ("TONESA_ALLOWED_ORIGINS", "a.example"),
        ("TONESA_FRAME_ANCESTORS", "'self'"),
        ("TONESA_CONTACT", "abuse@tonesa.example"),
        ("TONESA_CONTACT", "mailto:abuse"),
        ("TONESA_CONTACT", "mailto:@tonesa.example"),
        ("TONESA_CONTACT", "mailto:abuse@tonesa.example:25"),
        ("TONESA_CONTACT", "http://tonesa.example"),
        ("TONESA_CONTACT", "https:tonesa.example"),
        ("TONESA_CONTACT", "https:///contact"),
        ("TONESA_CONTACT", "https://user@tonesa.example"),
        ("TONESA_CONTACT", "https://tonesa.example/a b"),
        ("TONESA_CONTACT", "https://tonesa.example/\nExpires: never"),
        ("TONESA_CONTACT", "javascript:alert(1)"),
        ("TONESA_ADMIN_TOKEN", "0123456789abcdef012"),
        ("TONESA_ADMIN_TOKEN", "a secret of several words"),
        ("TONESA_SWEEP", "never"),
        ("TONESA_LOG", "server=loudly"),
        ("RUST_LOG", "=="),
    ] {
        let sentence = read(&[(name, value)]).unwrap_err().to_string();
        assert!(
            sentence.starts_with(&format!("{name} must be ")),
            "{sentence}"
        );
    }
}

#[test]
fn a_log_filter_may_have_spaces_around_its_commas() {
    for filter in [
        "info,server=debug",
        " info , server=debug",
        "info,\u{a0}server=debug",
    ] {
        let config = read(&[("TONESA_LOG", filter)]).unwrap();
        assert_eq!(config.log_filter().to_string(), "info,server=debug");
    }
}

#[test]
fn a_contact_is_a_mail_address_or_a_page() {
    for contact in [
        "mailto:abuse@tonesa.example",
        "mailto:abuse+pictures@tonesa.example?subject=Tonesa",
        "MAILTO:Abuse@Tonesa.Example",
        "https://tonesa.example",
        "https://tonesa.example:8443/contact?of=tonesa#form",
    ] {
        let config = read(&[("TONESA_CONTACT", contact)]).unwrap();
        assert_eq!(config.contact.unwrap().to_string(), contact);
    }
}

#[test]
fn an_admin_token_is_recognised_and_never_shown() {
    let token = "0123456789-._~+/=xyz";
    let config = read(&[("TONESA_ADMIN_TOKEN", token)]).unwrap();
    assert!(!format!("{config:?}").contains(token));
    let admin = config.admin_token.unwrap();
    assert!(admin.is(token));
    for other in ["", "0123456789-._~+/=xy", "0123456789-._~+/=xyzz"] {
        assert!(!admin.is(other), "{other}");
    }
    let refused = read(&[("TONESA_ADMIN_TOKEN", "too-short")]).unwrap_err();
    assert!(!refused.to_string().contains("too-short"), "{refused}");
    assert!(read(&[]).unwrap().admin_token.is_none());
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let config = read(&[("PORT", ""), ("PUBLIC_URL", " "), ("TONESA_DATA_DIR", "")]).unwrap();
    assert_eq!(config.address().port(), 9091);
    assert_eq!(config.public_url, None);
    assert_eq!(config.data_dir, PathBuf::from("data"));
}

#[test]
fn a_value_that_is_not_utf8_is_refused_naming_the_variable() {
    let garbage = |name: &str| (name == "PORT").then(|| OsString::from_vec(vec![0xff]));
    let error = Config::from_env(&garbage).unwrap_err();
    assert!(error.to_string().starts_with("PORT must be UTF-8"));
}

const BUCKET: [(&str, &str); 3] = [
    ("S3_BUCKET_NAME", "pictures"),
    ("AWS_ACCESS_KEY_ID", "the-key-id"),
    ("AWS_SECRET_ACCESS_KEY", "the-secret-key"),
];

fn s3(more: &[(&str, &str)]) -> Result<S3, ConfigError> {
    let config = read(&[more, &BUCKET].concat())?;
    Ok(config.shared.s3().expect("a bucket is set").clone())
}

#[test]
fn a_bucket_is_amazons_without_an_endpoint_and_in_the_path_with_one() {
    assert!(read(&[]).unwrap().shared.s3().is_none());
    let amazons = s3(&[]).unwrap();
    assert_eq!(amazons.bucket, "pictures");
    assert_eq!(amazons.region, "us-east-1");
    assert_eq!(amazons.access_key_id.expose(), "the-key-id");
    assert_eq!(amazons.secret_access_key.expose(), "the-secret-key");
    assert_eq!((amazons.endpoint, amazons.session_token), (None, None));
    assert!(!amazons.path_style && !amazons.redirect);

    let own = s3(&[("S3_ENDPOINT", "HTTP://s3.example:9000/")]).unwrap();
    assert_eq!(own.endpoint.unwrap().as_str(), "http://s3.example:9000");
    assert!(own.path_style);
}

#[test]
fn every_variable_of_a_bucket_is_read() {
    let read = s3(&[
        ("AWS_REGION", "eu-central-1"),
        ("AWS_SESSION_TOKEN", "the-token"),
        ("S3_ENDPOINT", "https://s3.example/storage/v1"),
        ("S3_PUBLIC_ENDPOINT", "https://pictures.example"),
        ("S3_PATH_STYLE", "0"),
        ("S3_REDIRECT", "1"),
    ])
    .unwrap();
    assert_eq!(read.region, "eu-central-1");
    assert_eq!(read.session_token.unwrap().expose(), "the-token");
    let endpoints = [read.endpoint, read.public_endpoint];
    assert_eq!(
        endpoints.map(|it| it.unwrap().to_string()),
        ["https://s3.example/storage/v1", "https://pictures.example"]
    );
    assert!(read.redirect && !read.path_style);
}

#[test]
fn a_bucket_without_a_key_is_refused_naming_what_is_missing() {
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        let sentence = s3(&[(name, "")]).unwrap_err().to_string();
        let expected = format!("{name} must be set when S3_BUCKET_NAME is");
        assert_eq!(sentence, expected);
    }
    let sentence = read(&BUCKET[..1]).unwrap_err().to_string();
    let expected = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set when S3_BUCKET_NAME is";
    assert_eq!(sentence, expected);
}

#[test]
fn wrong_values_of_a_bucket_are_refused_without_showing_secrets() {
    for (name, value) in [
        ("S3_BUCKET_NAME", "a/b"),
        ("S3_BUCKET_NAME", ".."),
        ("AWS_REGION", "eu central"),
        ("S3_ENDPOINT", "s3.example:9000"),
        ("S3_ENDPOINT", "ftp://s3.example"),
        ("S3_ENDPOINT", "https://"),
        ("S3_ENDPOINT", "https://user:hidden@s3.example"),
        ("S3_ENDPOINT", "https://s3.example:99999"),
        ("S3_ENDPOINT", "https://s3.example/?key=hidden"),
        ("S3_PUBLIC_ENDPOINT", "https://s3.example/a b"),
        ("S3_PATH_STYLE", "yes"),
        ("S3_REDIRECT", "2"),
    ] {
        let sentence = s3(&[(name, value)]).unwrap_err().to_string();
        let begins = sentence.starts_with(&format!("{name} must be "));
        assert!(begins && !sentence.contains("hidden"), "{sentence}");
    }
    let shown = format!("{:?}", s3(&[("AWS_SESSION_TOKEN", "the-token")]).unwrap());
    for secret in ["the-key-id", "the-secret-key", "the-token"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_public_address_without_public_url_and_proxies_everywhere_are_warned_of() {
    let warned = |variables: &[(&str, &str)]| {
        let warnings = read(variables).unwrap().warnings().into_iter();
        warnings
            .map(|warning| warning.split(' ').next().unwrap_or_default())
            .collect::<Vec<_>>()
    };
    let named = ("PUBLIC_URL", "https://tonesa.example");
    for bind in ["0.0.0.0", "::", "10.0.0.7"] {
        assert_eq!(warned(&[("TONESA_BIND", bind)]), ["PUBLIC_URL"]);
        assert!(warned(&[("TONESA_BIND", bind), named]).is_empty());
    }
    for bind in ["127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"] {
        assert!(warned(&[("TONESA_BIND", bind)]).is_empty(), "{bind}");
    }
    for proxies in ["0.0.0.0/0", "10.0.0.0/8, ::/0", "0.0.0.0/1,128.0.0.0/1"] {
        let warnings = warned(&[("TONESA_TRUSTED_PROXIES", proxies)]);
        assert_eq!(warnings, ["TONESA_TRUSTED_PROXIES"]);
    }
    for proxies in ["10.0.0.0/8", "0.0.0.0/1,::1"] {
        assert!(warned(&[("TONESA_TRUSTED_PROXIES", proxies)]).is_empty());
    }
}
