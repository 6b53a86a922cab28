//! Starts a whole node in the test's process, on its own port, with real embedded storage in a temporary folder.
#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    reason = "each test program uses another part of it, and a test may panic"
)]

pub mod bomb;
pub mod conversation;
pub mod faults;
pub mod pictures;
pub mod program;
pub mod raw;
pub mod socket_client;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::model::{Message, ShortId, Upload};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use serde_json::Value;
use server::app::backends::{self, Backends};
use server::app::metrics::Metrics;
use server::app::node;
use server::app::sweeper::pairing;
use server::app::sweeper::status::SweepStatus;
use server::blob::Derived;
use server::config::Config;
use server::config::HubIntervals;
use server::http::assets::Site;
use server::http::serve::{Listeners, ServeError, serve};
use server::http::state::AppState;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A node that serves until it is dropped or stopped.
pub struct TestNode {
    /// The address that it listens on.
    pub address: SocketAddr,
    /// The address of its metrics, if they are enabled.
    pub metrics: Option<SocketAddr>,
    /// The parts of the node.
    pub node: AppState,
    /// Its state of sweeping.
    pub sweep: Arc<SweepStatus>,
    /// Its data and site folders.
    pub folder: TempDir,
    /// A client that follows no redirects.
    pub client: Client,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<Result<(), ServeError>>,
}

impl TestNode {
    /// Starts a node with the defaults, but without rate limits.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts a node with these variables set.
    pub async fn with(variables: &[(&str, &str)]) -> Self {
        Self::with_backends(variables, |backends| backends).await
    }

    /// Starts a node with these variables set, and wrapped backends.
    pub async fn with_backends(
        variables: &[(&str, &str)],
        wrap: impl FnOnce(Backends) -> Backends,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), variables);
        Self::launch(folder, config, wrap).await
    }

    /// Starts a node whose hub has these intervals.
    pub async fn with_intervals(intervals: HubIntervals) -> Self {
        Self::with_all(&[], intervals, |backends| backends).await
    }

    /// Starts a node with these variables set, these intervals, and wrapped backends.
    pub async fn with_all(
        variables: &[(&str, &str)],
        intervals: HubIntervals,
        wrap: impl FnOnce(Backends) -> Backends,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path(), variables);
        config.hub_intervals = intervals;
        Self::launch(folder, config, wrap).await
    }

    /// Starts a node with these variables set in a folder that may have content already, and with changes of settings
    /// that have no variable.
    pub async fn with_config(
        folder: TempDir,
        variables: &[(&str, &str)],
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = config(folder.path(), variables);
        change(&mut config);
        Self::launch(folder, config, |backends| backends).await
    }

    /// Starts a node whose images are checked by running them as shell scripts (`images/child.sh`).
    pub async fn with_scripts(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images/child.sh");
        let mut config = config(folder.path(), variables);
        config.program = stand_in;
        Self::launch(folder, config, |backends| backends).await
    }

    async fn launch(
        folder: TempDir,
        config: Config,
        wrap: impl FnOnce(Backends) -> Backends,
    ) -> Self {
        let metrics = Metrics::default();
        let opened = backends::open(&config, &metrics).await.unwrap();
        let Backends { store, blobs, .. } = &opened.backends;
        // The node does this too, but here it is done before a test counts temporary files.
        let _ = pairing::check(store.as_ref(), blobs.as_ref()).await;
        let backends = wrap(opened.backends.clone());
        let listeners = Listeners::bind(&config).unwrap();
        let address = listeners.public.local_addr().unwrap();
        let metrics_listener = listeners.metrics.as_ref();
        let metrics_address = metrics_listener.map(|listener| listener.local_addr().unwrap());
        let site = Site::load(&config.site_dir).unwrap();
        let (node, sweep) = node::start(config, site, backends, metrics);
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(serve(node.clone(), listeners, async {
            drop(stopped.await);
        }));
        let redirects = redirect::Policy::none();
        let client = Client::builder().redirect(redirects).build().unwrap();
        Self {
            address,
            metrics: metrics_address,
            node,
            sweep,
            folder,
            client,
            stop: Some(stop),
            serving,
        }
    }

    /// Stops the node as SIGTERM does, and waits until it has ended.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        self.serving.await.unwrap().unwrap();
    }

    /// Waits until the node has stopped by itself.
    pub async fn stopped_by_itself(self) -> ServeError {
        self.serving.await.unwrap().unwrap_err()
    }

    /// Starts to stop the node, as SIGTERM does.
    pub fn begin_to_stop(&mut self) {
        drop(self.stop.take());
    }

    /// How many frames of messages wait to be written to its sockets.
    pub fn queued_messages(&self) -> usize {
        self.node.hub.queued().iter().map(|it| it.messages).sum()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path))
    }

    pub fn delete(&self, path: &str) -> RequestBuilder {
        self.client.delete(self.url(path))
    }

    pub fn put(&self, path: &str) -> RequestBuilder {
        self.client.put(self.url(path))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(self.url(path))
    }

    /// Uploads these bytes as a program does.
    pub async fn upload(&self, bytes: Vec<u8>) -> Response {
        self.send_form(file_form(bytes)).await
    }

    /// Sends an upload form.
    pub async fn send_form(&self, form: Form) -> Response {
        let request = self.post("/api/uploads").multipart(form);
        request.send().await.unwrap()
    }

    /// Uploads a small image.
    pub async fn uploaded(&self) -> Upload {
        let response = self.upload(pictures::png(3, 2)).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        response.json().await.unwrap()
    }

    /// Posts JSON as a message.
    pub async fn post_message(&self, upload: &str, body: &Value) -> Response {
        let path = format!("/api/uploads/{upload}/messages");
        self.post(&path).json(body).send().await.unwrap()
    }

    /// Posts messages with these texts.
    pub async fn post_texts(&self, upload: &Upload, texts: &[&str]) -> Vec<Message> {
        let mut messages = Vec::new();
        for text in texts {
            messages.push(self.post_text(upload.id, text).await);
        }
        messages
    }

    /// Waits until the placeholder of an upload is kept, which is made unasked, or that none can be made.
    pub async fn placeholder_is_kept(&self, id: ShortId) {
        let blobs = &self.node.blobs;
        let is_kept = async || blobs.read_derived(id, Derived::Placeholder).await.is_ok();
        self.wait_until("the placeholder is kept", is_kept).await;
    }

    /// Waits until there is no temporary file: that of a placeholder, which is made unasked, is there for a moment.
    pub async fn temporary_files_are_removed(&self) {
        let are_removed = async || self.temporary_files() == 0;
        self.wait_until("no temporary file is left", are_removed)
            .await;
    }

    /// Returns the number of temporary files.
    pub fn temporary_files(&self) -> usize {
        self.temporary_lengths().len()
    }

    /// Returns the lengths of the temporary files in bytes.
    pub fn temporary_lengths(&self) -> Vec<u64> {
        let files = fs::read_dir(self.node.receiver.folder()).unwrap();
        // A file that is removed meanwhile has no length.
        files
            .filter_map(|file| Some(file.unwrap().metadata().ok()?.len()))
            .collect()
    }

    /// Returns the number of images that are stored, at most 100.
    pub async fn blobs(&self) -> usize {
        let blobs = self.node.blobs.list(None, 100);
        blobs.await.unwrap().len()
    }
}

/// A form with one file, as a browser sends it.
pub fn file_form(bytes: Vec<u8>) -> Form {
    Form::new().part("file", Part::bytes(bytes).file_name("picture.png"))
}

/// Asserts that the response is this problem, and returns the document.
pub async fn problem(response: Response, status: u16, kind: &str) -> Value {
    assert_eq!(response.status().as_u16(), status);
    let content_type = header(response.headers(), CONTENT_TYPE.as_str());
    assert_eq!(content_type, "application/problem+json");
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["status"], status);
    assert_eq!(problem["type"], format!("/problems/{kind}"));
    for text in ["title", "detail"] {
        assert!(!problem[text].as_str().unwrap().is_empty(), "{problem}");
    }
    problem
}

/// Returns a header's text; empty if it is missing.
pub fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

/// Returns the settings of a test: without rate limits unless `variables` set some.
pub fn config(folder: &Path, variables: &[(&str, &str)]) -> Config {
    let site = site(folder);
    let data = folder.join("data");
    let mut config = Config::from_env(&|name| {
        let set = variables.iter().find(|(key, _)| *key == name);
        if let Some((_, value)) = set {
            return Some(value.into());
        }
        match name {
            "TONESA_DATA_DIR" => Some(data.clone().into()),
            "TONESA_SITE_DIR" => Some(site.clone().into()),
            "PORT"
            | "TONESA_UPLOADS_PER_MINUTE"
            | "TONESA_MESSAGES_PER_MINUTE"
            | "TONESA_PICTURES_PER_MINUTE"
            | "TONESA_MISSES_PER_MINUTE" => Some("0".into()),
            _ => None,
        }
    })
    .unwrap();
    // This process is a test and cannot check images.
    config.program = env!("CARGO_BIN_EXE_tonesa").into();
    config
}

/// Creates a small folder of packaged files.
pub fn site(folder: &Path) -> PathBuf {
    let site = folder.join("site");
    for (name, content) in [
        (
            "manifest.json",
            r#"{"css":"/assets/tonesa-1.css","js":"/assets/tonesa-1.js","wasm":"/assets/tonesa-1.wasm"}"#,
        ),
        ("assets/tonesa-1.css", "body { margin: 0 }"),
        ("assets/tonesa-1.css.br", "the style sheet in brotli"),
        ("assets/tonesa-1.css.gz", "the style sheet in gzip"),
        ("assets/tonesa-1.js", "export {}"),
        ("assets/tonesa-1.wasm", "\0asm"),
        ("assets/tonesa-2.js", "export {}"),
        ("assets/tonesa-2.wasm", "\0asm"),
        ("public/robots.txt", "User-agent: *"),
        ("public/favicon.svg", "<svg/>"),
    ] {
        let path = site.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    site
}
