//! Connections to Redis with TLS. `SSL_CERT_FILE` names the trusted certificates in place of the system's.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "common/mod.rs"]
mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::Value;
use tempfile::TempDir;
use testbed::Redis;

const LOGIN: &str = "alice:correct-horse";

/// A Redis server that requires TLS and a login, and its certificate.
struct TlsRedis {
    redis: Redis,
    certificate: PathBuf,
    folder: TempDir,
}

impl TlsRedis {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate, key) = (
            folder.path().join("cert.pem"),
            folder.path().join("key.pem"),
        );
        fs::write(&certificate, cert.pem()).unwrap();
        fs::write(&key, signing_key.serialize_pem()).unwrap();
        let (certificate_text, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
        let tls = [
            "--port",
            "0",
            "--tls-port",
            "{port}",
            "--tls-auth-clients",
            "no",
        ];
        let files = ["--tls-cert-file", certificate_text, "--tls-key-file", key];
        let authority = ["--tls-ca-cert-file", certificate_text];
        let (user, password) = LOGIN.split_once(':').unwrap();
        let password = format!(">{password}");
        let login = ["--user", user, "on", &password, "+@all", "&upload:*"];
        let arguments = [&tls[..], &files, &authority, &login].concat();
        Self {
            redis: Redis::with_args(&arguments).unwrap(),
            certificate,
            folder,
        }
    }

    fn url(&self, host: &str) -> String {
        format!("rediss://{LOGIN}@{host}:{}", self.redis.port())
    }

    /// A command that starts a node with this Redis server.
    fn node(&self, url: &str, certificates: &Path) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_tonesa"));
        program
            .env_clear()
            .env("PORT", "0")
            .env("TONESA_DATA_DIR", self.folder.path().join("data"))
            .env("TONESA_SITE_DIR", common::site(self.folder.path()))
            .env("REDIS_URL", url)
            .env("SSL_CERT_FILE", certificates)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        program
    }
}

/// A process that is killed when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_node_trusts_a_configured_certificate() {
    let secured = TlsRedis::start();
    let mut node = secured.node(&secured.url("localhost"), &secured.certificate);
    let mut node = Running(node.spawn().unwrap());
    let lines = BufReader::new(node.0.stdout.take().unwrap()).lines();
    let address = lines.map_while(Result::ok).find_map(|line| {
        assert!(
            !line.contains("correct-horse") && !line.contains("alice"),
            "{line}"
        );
        let event: Value = serde_json::from_str(&line).unwrap();
        Some(event["address"].as_str()?.to_owned())
    });
    let ready = format!("http://{}/readyz", address.expect("the node starts"));
    let ready = reqwest::get(ready).await.unwrap();
    assert_eq!(ready.status(), 200);
    assert_eq!(
        ready.json::<Value>().await.unwrap()["backends"]["broker"],
        "ok"
    );
}

#[tokio::test]
async fn a_node_does_not_start_with_an_untrusted_certificate() {
    let (secured, other) = (TlsRedis::start(), TlsRedis::start());
    for (host, certificates) in [
        ("127.0.0.1", &secured.certificate),
        ("localhost", &other.certificate),
    ] {
        let ended = secured
            .node(&secured.url(host), certificates)
            .output()
            .unwrap();
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert!(
            !ended.status.success() && stderr.contains("REDIS_URL"),
            "{stderr}"
        );
        assert!(stderr.contains("certificate"), "{stderr}");
        for output in [stderr, String::from_utf8(ended.stdout).unwrap()] {
            assert!(!output.contains("correct-horse") && !output.contains("alice"));
        }
    }
}
