use std::cell::Cell;
use std::rc::Rc;

use futures::channel::oneshot;
use futures::future::{Either, select};
use gloo_events::EventListener;
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{File, FormData, ProgressEvent, XmlHttpRequest};

use super::failure::{UploadFailure, read_answer};
use crate::model::Upload;

/// An upload of which nothing moved for this long is given up.
const STALL_MILLIS: u32 = 60_000;

/// Sends the file and waits for the answer.
pub(super) async fn send(
    file: File,
    max_bytes: u64,
    on_progress: impl Fn(f64) + 'static,
) -> Result<Upload, UploadFailure> {
    // The server would answer 413, but browsers report an answer that comes while they send as a lost connection.
    #[expect(
        clippy::cast_precision_loss,
        reason = "no file limit comes near 2^53 bytes"
    )]
    if file.size() > max_bytes as f64 {
        return Err(UploadFailure::TooLarge { max_bytes });
    }
    let request = Request::open().map_err(|_| UploadFailure::Unavailable)?;
    let moved = Rc::new(Cell::new(true));
    let _progress = request.on_progress(Rc::clone(&moved), on_progress);
    let (over, _end) = request.on_end();
    request.start(&file).map_err(|_| UploadFailure::Network)?;
    wait_while_it_moves(over, &moved).await?;
    match request.0.status() {
        // The browser's word for "no answer came".
        Ok(0) | Err(_) => Err(UploadFailure::Network),
        Ok(status) => read_answer(status, &request.body(), max_bytes),
    }
}

async fn wait_while_it_moves(
    mut over: oneshot::Receiver<()>,
    moved: &Cell<bool>,
) -> Result<(), UploadFailure> {
    while moved.replace(false) {
        let stalled = TimeoutFuture::new(STALL_MILLIS);
        if let Either::Left((ended, _)) = select(&mut over, stalled).await {
            return ended.map_err(|_| UploadFailure::Network);
        }
    }
    Err(UploadFailure::Network)
}

/// A request that is stopped when it is dropped. `fetch` cannot tell how far a request body got, so this is an
/// `XMLHttpRequest`.
struct Request(XmlHttpRequest);

impl Request {
    fn open() -> Result<Self, JsValue> {
        let request = XmlHttpRequest::new()?;
        request.open("POST", "/api/uploads")?;
        request.set_request_header("Accept", "application/json")?;
        Ok(Self(request))
    }

    fn on_progress(
        &self,
        moved: Rc<Cell<bool>>,
        on_progress: impl Fn(f64) + 'static,
    ) -> Option<EventListener> {
        let upload = self.0.upload().ok()?;
        Some(EventListener::new(&upload, "progress", move |event| {
            moved.set(true);
            let Some(event) = event.dyn_ref::<ProgressEvent>() else {
                return;
            };
            if event.length_computable() && event.total() > 0.0 {
                on_progress((event.loaded() / event.total()).clamp(0.0, 1.0));
            }
        }))
    }

    /// Resolves when the request is over, in whatever way.
    fn on_end(&self) -> (oneshot::Receiver<()>, EventListener) {
        let (tell, over) = oneshot::channel();
        let listener = EventListener::once(&self.0, "loadend", move |_| {
            // Nobody waits any more when the upload was cancelled.
            let _ = tell.send(());
        });
        (over, listener)
    }

    fn start(&self, file: &File) -> Result<(), JsValue> {
        let form = FormData::new()?;
        form.append_with_blob_and_filename("file", file, &file.name())?;
        self.0.send_with_opt_form_data(Some(&form))
    }

    fn body(&self) -> String {
        self.0.response_text().ok().flatten().unwrap_or_default()
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        // Aborting one that is over does nothing.
        let _ = self.0.abort();
    }
}
