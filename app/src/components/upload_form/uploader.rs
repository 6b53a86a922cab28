use leptos::prelude::*;
use leptos::task::spawn_local;
use send_wrapper::SendWrapper;
use web_sys::{File, FileList};

use super::check::{FileFacts, pick, refusal, short};
use super::phase::{Phase, Sending};
use crate::browser::object_url::ObjectUrl;
use crate::components::own_pictures;
use crate::live::Conversations;
use crate::texts::{fill, texts};
use crate::uploading::{CancelUpload, UploadFailure, upload};

/// Uploads an image, wherever it came from. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Uploader {
    /// The state of the form.
    pub phase: RwSignal<Phase>,
    /// The fraction that is sent, 0 to 1.
    pub sent: RwSignal<f64>,
    max_bytes: u64,
    /// Whether the person is asked before a file is sent.
    pub asks: bool,
    /// After how many seconds the image expires, if it does.
    expires_in: StoredValue<Option<u32>>,
    conversations: Conversations,
    /// The image that was chosen last; kept after a failed upload for a retry.
    pending: StoredValue<Option<SendWrapper<PendingFile>>>,
}

/// A file and its upload, which is cancelled on drop.
struct PendingFile {
    file: File,
    /// None until it is sent.
    upload: Option<CancelUpload>,
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        if let Some(upload) = &self.upload {
            upload.cancel();
        }
    }
}

impl Uploader {
    /// Creates an uploader that is cancelled when its page is left.
    pub fn new(max_bytes: u64, asks: bool) -> Self {
        Self {
            phase: RwSignal::new(Phase::Idle),
            sent: RwSignal::new(0.0),
            max_bytes,
            asks,
            expires_in: StoredValue::new(None),
            conversations: Conversations::expect(),
            pending: StoredValue::new(None),
        }
    }

    /// Has images expire after so many seconds; they do not if it is empty.
    pub fn keep_for(self, seconds: &str) {
        self.expires_in.set_value(seconds.parse().ok());
    }

    /// Uploads or offers the first image of these files.
    pub fn take_list(self, files: Option<FileList>) {
        let files: Vec<File> = files
            .map(|files| (0..files.length()).filter_map(|n| files.get(n)).collect())
            .unwrap_or_default();
        self.take(&files);
    }

    /// Uploads or offers the first image of these files.
    pub fn take(self, files: &[File]) {
        let facts: Vec<_> = files.iter().map(facts).collect();
        let Some(index) = pick(&facts) else { return };
        self.forget();
        if let Some(reason) = refusal(&facts[index], self.max_bytes) {
            self.refuse(reason);
            return;
        }
        let taken = short(&facts[index].name);
        let note = (files.len() > 1).then(|| fill(texts().one_at_a_time, &[("name", &taken)]));
        if self.asks {
            self.show(&files[index], note, true);
            self.keep(&files[index], None);
        } else {
            self.send(&files[index], note);
        }
    }

    /// Says why nothing is uploaded.
    pub fn refuse(self, reason: String) {
        self.forget();
        let retry = false;
        self.phase.set(Phase::Refused { reason, retry });
    }

    /// Sends the chosen file: one that is offered, or again.
    pub fn retry(self) {
        let file = self
            .pending
            .with_value(|pending| pending.as_ref().map(|pending| pending.file.clone()));
        if let Some(file) = file {
            self.send(&file, None);
        }
    }

    /// Cancels the upload and forgets the file.
    pub fn cancel(self) {
        self.forget();
        self.phase.set(Phase::Idle);
    }

    fn forget(self) {
        // Taken out first: cancelling may run code that reads `pending`.
        drop(self.pending.try_update_value(Option::take));
    }

    fn keep(self, file: &File, upload: Option<CancelUpload>) {
        let file = file.clone();
        self.pending
            .set_value(Some(SendWrapper::new(PendingFile { file, upload })));
    }

    /// Shows the file, and returns its URL.
    fn show(self, file: &File, note: Option<String>, offered: bool) -> ObjectUrl {
        let preview = ObjectUrl::of(file);
        self.phase.set(Phase::Sending(Sending {
            name: short(&file.name()),
            preview: preview.clone(),
            note,
            offered,
        }));
        preview
    }

    fn send(self, file: &File, note: Option<String>) {
        self.forget();
        self.sent.set(0.0);
        let preview = self.show(file, note, false);
        let progress = move |sent| self.sent.set(sent);
        let (outcome, cancel) = upload(
            file.clone(),
            self.max_bytes,
            self.expires_in.get_value(),
            progress,
        );
        self.keep(file, Some(cancel));
        spawn_local(async move {
            match outcome.await {
                Ok(upload) => {
                    let short_id = upload.short_id;
                    own_pictures::add(&upload, true);
                    self.conversations.add_uploaded(upload, preview);
                    self.phase.set(Phase::Done(short_id));
                }
                // The caller of `cancel` has set the phase.
                Err(UploadFailure::Cancelled) => {}
                Err(failure) => self.phase.set(Phase::Refused {
                    reason: failure.to_string(),
                    retry: failure.can_retry(),
                }),
            }
        });
    }
}

fn facts(file: &File) -> FileFacts {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of bytes"
    )]
    let size = file.size() as u64;
    FileFacts {
        name: file.name(),
        media_type: file.type_(),
        size,
    }
}
