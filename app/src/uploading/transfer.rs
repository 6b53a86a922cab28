use std::cell::Cell;
use std::rc::Rc;

use futures::channel::oneshot;
use futures::future::{Either, select};
use gloo_events::EventListener;
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{File, FormData, ProgressEvent, XmlHttpRequest};

use super::failure::{UploadFailure, parse_response};
use crate::browser::storage;
use crate::model::Upload;

/// An upload without progress for this long has failed.
const STALL_TIMEOUT_MILLIS: u32 = 60_000;

/// Sends the file and waits for the response.
pub(super) async fn send(
    file: File,
    max_bytes: u64,
    expires_in: Option<u32>,
    on_progress: impl Fn(f64) + 'static,
) -> Result<Upload, UploadFailure> {
    // The server would answer 413, but browsers report a response before the end of the request as a lost connection.
    #[expect(
        clippy::cast_precision_loss,
        reason = "no file limit comes near 2^53 bytes"
    )]
    if file.size() > max_bytes as f64 {
        return Err(UploadFailure::TooLarge { max_bytes });
    }
    let request = Request::open().map_err(|_| UploadFailure::Unavailable)?;
    let progressed = Rc::new(Cell::new(true));
    let _progress = request.on_progress(Rc::clone(&progressed), on_progress);
    let (ended, _listener) = request.on_end();
    let started = request.start(&file, expires_in);
    started.map_err(|_| UploadFailure::Network)?;
    wait_for_end(ended, &progressed).await?;
    match request.0.status() {
        // Status 0 means that there was no response.
        Ok(0) | Err(_) => Err(UploadFailure::Network),
        Ok(status) => parse_response(status, &request.body(), max_bytes),
    }
}

/// Fails after a timeout without progress.
async fn wait_for_end(
    mut ended: oneshot::Receiver<()>,
    progressed: &Cell<bool>,
) -> Result<(), UploadFailure> {
    while progressed.replace(false) {
        let timeout = TimeoutFuture::new(STALL_TIMEOUT_MILLIS);
        if let Either::Left((result, _)) = select(&mut ended, timeout).await {
            return result.map_err(|_| UploadFailure::Network);
        }
    }
    Err(UploadFailure::Network)
}

/// A request that is aborted on drop. An `XMLHttpRequest`, since `fetch` does not report the progress of a request
/// body.
struct Request(XmlHttpRequest);

impl Request {
    fn open() -> Result<Self, JsValue> {
        let request = XmlHttpRequest::new()?;
        request.open("POST", "/api/uploads")?;
        request.set_request_header("Accept", "application/json")?;
        request.set_request_header("Authorization", &storage::author_bearer())?;
        Ok(Self(request))
    }

    fn on_progress(
        &self,
        progressed: Rc<Cell<bool>>,
        on_progress: impl Fn(f64) + 'static,
    ) -> Option<EventListener> {
        let upload = self.0.upload().ok()?;
        Some(EventListener::new(&upload, "progress", move |event| {
            progressed.set(true);
            let Some(event) = event.dyn_ref::<ProgressEvent>() else {
                return;
            };
            if event.length_computable() && event.total() > 0.0 {
                on_progress((event.loaded() / event.total()).clamp(0.0, 1.0));
            }
        }))
    }

    /// Resolves when the request has succeeded, failed or been aborted.
    fn on_end(&self) -> (oneshot::Receiver<()>, EventListener) {
        let (sender, ended) = oneshot::channel();
        let listener = EventListener::once(&self.0, "loadend", move |_| {
            // There is no receiver any more if the upload was cancelled.
            let _ = sender.send(());
        });
        (ended, listener)
    }

    fn start(&self, file: &File, expires_in: Option<u32>) -> Result<(), JsValue> {
        let form = FormData::new()?;
        if let Some(seconds) = expires_in {
            form.append_with_str("expiresIn", &seconds.to_string())?;
        }
        form.append_with_blob_and_filename("file", file, &file.name())?;
        self.0.send_with_opt_form_data(Some(&form))
    }

    fn body(&self) -> String {
        self.0.response_text().ok().flatten().unwrap_or_default()
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        // Does nothing if the request has ended.
        let _ = self.0.abort();
    }
}
