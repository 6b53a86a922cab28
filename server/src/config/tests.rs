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
fn an_empty_environment_gives_the_defaults_of_the_protocol() {
    let config = read(&[]).unwrap();
    assert_eq!(config.bind.to_string(), "127.0.0.1:9091");
    assert_eq!(config.public_url, None);
    assert_eq!(config.data_dir, PathBuf::from("data"));
    assert!(config.site_dir.ends_with("site"));
    assert!(config.trusted_proxies.is_empty());
    assert_eq!(config.log.to_string(), "info");
    let limits = config.limits;
    assert_eq!(limits.upload_bytes, 20 * 1024 * 1024);
    assert_eq!(limits.image.pixels, 40_000_000);
    assert_eq!(limits.image.animation_pixels, 400_000_000);
    assert_eq!(limits.uploads_per_minute, 30);
    assert_eq!(limits.messages_per_minute, 120);
    assert_eq!(limits.touches_per_second, 20);
    assert_eq!(limits.sockets, 20_000);
    assert_eq!(limits.sockets_per_address, 1_000);
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
        ("TONESA_MAX_PIXELS", "2000"),
        ("TONESA_MAX_ANIMATION_PIXELS", "3000"),
        ("TONESA_UPLOADS_PER_MINUTE", "0"),
        ("TONESA_MESSAGES_PER_MINUTE", "4"),
        ("TONESA_TOUCHES_PER_SECOND", "5"),
        ("TONESA_MAX_SOCKETS", "6"),
        ("TONESA_MAX_SOCKETS_PER_ADDRESS", "7"),
        ("TONESA_TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
        ("TONESA_LOG", "debug"),
        ("RUST_LOG", "warn"),
    ])
    .unwrap();
    assert_eq!(config.bind.to_string(), "[::]:8080");
    assert_eq!(
        config.public_url.unwrap().as_str(),
        "https://tonesa.example"
    );
    assert_eq!(config.data_dir, PathBuf::from("/var/lib/tonesa"));
    assert_eq!(config.site_dir, PathBuf::from("/usr/share/tonesa"));
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.log.to_string(), "debug");
    let limits = config.limits;
    assert_eq!(limits.upload_bytes, 1000);
    assert_eq!(limits.image.pixels, 2000);
    assert_eq!(limits.image.animation_pixels, 3000);
    assert_eq!(limits.uploads_per_minute, 0);
    assert_eq!(limits.messages_per_minute, 4);
    assert_eq!(limits.touches_per_second, 5);
    assert_eq!(limits.sockets, 6);
    assert_eq!(limits.sockets_per_address, 7);
}

#[test]
fn a_wrong_value_is_refused_with_a_sentence_that_names_the_variable() {
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
        ("TONESA_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("TONESA_TRUSTED_PROXIES", "10.0.0.0/8, proxy"),
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
fn an_empty_variable_counts_as_not_set() {
    let config = read(&[("PORT", ""), ("PUBLIC_URL", " "), ("TONESA_DATA_DIR", "")]).unwrap();
    assert_eq!(config.bind.port(), 9091);
    assert_eq!(config.public_url, None);
    assert_eq!(config.data_dir, PathBuf::from("data"));
}

#[test]
fn a_value_that_is_not_utf8_is_refused_by_name() {
    let garbage = |name: &str| (name == "PORT").then(|| OsString::from_vec(vec![0xff]));
    let error = Config::from_env(&garbage).unwrap_err();
    assert!(error.to_string().starts_with("PORT must be UTF-8"));
}
