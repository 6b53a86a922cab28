//! An S3 server.

use std::{fs, ops::Deref, path::PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use crate::{Launch, Process, ports, probe, programs};

const BUCKET: &str = "tonesa";
const ACCESS_KEY: &str = "testbed";
/// SeaweedFS' parts. Each has a port for HTTP and one for gRPC, and its usual ones may be taken.
const PARTS: [&str; 5] = ["s3", "filer", "master", "volume", "admin"];

/// SeaweedFS with one bucket and one identity. Requests that are not signed with its key are refused, and an upload
/// does not make a bucket. It can be used as its [`Process`].
pub struct S3 {
    process: Process,
    port: u16,
    filer: u16,
    secret_key: String,
}

impl S3 {
    /// Starts an S3 server and waits until its bucket exists.
    pub fn start() -> Result<Self> {
        ports::start_at_free_port(|port| {
            let secret_key = format!("{:032x}", rand::random::<u128>());
            let name = format!("SeaweedFS at port {port}");
            let launch = Launch::new(name, programs::WEED.require()?)?;
            let home = launch.folder().to_owned();
            fs::create_dir(home.join("data")).context("making SeaweedFS' folder")?;
            fs::write(home.join("identities.json"), identities(&secret_key))
                .context("writing SeaweedFS' identities")?;
            let filer = ports::free_port()?;
            let (arguments, sockets) = listeners(port, filer)?;
            let process = launch
                .args(["mini", "-dir=data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"])
                .args(["-s3.config=identities.json", "-s3.autoCreateBucket=false"])
                .args(["-s3.localSocket=s3.sock", "-filer.localSocket=filer.sock"])
                .args(["-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false"])
                .args(["-admin.ui=false", "-master.telemetry=false"])
                .args([format!("-bucket={BUCKET}")])
                .args(arguments)
                .env("HOME", home)
                .leftovers(sockets)
                .ready_when(move |_| is_ready(port, filer))
                .start()?;
            Ok(Self {
                process,
                port,
                filer,
                secret_key,
            })
        })
    }

    /// `http://127.0.0.1:PORT`
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The address at which the file server, which asks for no signature, has the bucket as a folder: it ends with `/`.
    pub fn bucket_folder(&self) -> String {
        format!("http://127.0.0.1:{}/buckets/{BUCKET}/", self.filer)
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        BUCKET
    }

    /// The access key, which may do everything.
    pub fn access_key(&self) -> &str {
        ACCESS_KEY
    }

    /// The secret key.
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }

    /// The variables with which a node uses it.
    pub fn environment(&self) -> [(&'static str, String); 5] {
        [
            ("S3_ENDPOINT", self.endpoint()),
            ("S3_BUCKET_NAME", BUCKET.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_key.clone()),
        ]
    }
}

impl Deref for S3 {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

/// Whether the server refuses a request without a signature, as S3 does, and its file server has the bucket, which is
/// made last. Asking S3 itself for the bucket would take a signature.
fn is_ready(port: u16, filer: u16) -> bool {
    let bucket = format!("/buckets/{BUCKET}/");
    matches!(probe::http_status(port, "/"), Ok(403))
        && matches!(probe::http_status(filer, &bucket), Ok(200))
}

/// The arguments that say where each part listens, and the sockets in `/tmp` at which the parts serve gRPC too, for
/// which there is no argument.
fn listeners(port: u16, filer: u16) -> Result<(Vec<String>, Vec<PathBuf>)> {
    let (mut arguments, mut sockets) = (Vec::new(), Vec::new());
    for part in PARTS {
        let http = match part {
            "s3" => port,
            "filer" => filer,
            _ => ports::free_port()?,
        };
        let grpc = ports::free_port()?;
        arguments.push(format!("-{part}.port={http}"));
        arguments.push(format!("-{part}.port.grpc={grpc}"));
        sockets.push(format!("/tmp/seaweedfs-{part}-grpc-{grpc}.sock").into());
    }
    Ok((arguments, sockets))
}

fn identities(secret_key: &str) -> String {
    let identity = json!({
        "name": "testbed",
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        "credentials": [{ "accessKey": ACCESS_KEY, "secretKey": secret_key }],
    });
    json!({ "identities": [identity] }).to_string()
}
