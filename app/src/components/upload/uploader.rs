use leptos::prelude::*;
use web_sys::{File, FileList};

use super::check::{FileFacts, pick, refusal, short};
use super::phase::{Phase, Sending};
use crate::browser::{chosen, prefetch, spawn};
use crate::model::ShortId;
use crate::source::{HomeStart, Program};
use crate::uploading::{UploadFailure, upload};

/// Takes a picture from wherever it came, sends it and goes on to its page.
#[derive(Clone, Copy)]
pub struct Uploader {
    /// How far it is.
    pub phase: RwSignal<Phase>,
    /// The part that is sent, 0 to 1.
    pub sent: RwSignal<f64>,
    max_bytes: u64,
    /// What the next page will need and was not fetched yet.
    next: StoredValue<Option<Program>>,
}

impl Uploader {
    /// One for this page.
    pub fn new(start: HomeStart) -> Self {
        Self {
            phase: RwSignal::new(Phase::Idle),
            sent: RwSignal::new(0.0),
            max_bytes: start.max_upload_bytes,
            next: StoredValue::new(Some(start.next)),
        }
    }

    /// Takes the first picture of these files.
    pub fn take_list(self, files: Option<FileList>) {
        let files: Vec<File> = files
            .map(|files| (0..files.length()).filter_map(|n| files.get(n)).collect())
            .unwrap_or_default();
        self.take(&files);
    }

    /// Takes the first picture of these files.
    pub fn take(self, files: &[File]) {
        let facts: Vec<_> = files.iter().map(facts).collect();
        let Some(index) = pick(&facts) else { return };
        // The page goes; what began now would be cut off.
        if self.phase.read_untracked().done().is_some() {
            return;
        }
        chosen::forget();
        if let Some(reason) = refusal(&facts[index], self.max_bytes) {
            self.phase.set(Phase::Refused {
                reason,
                retry: false,
            });
            return;
        }
        let note = (files.len() > 1).then_some("One picture at a time: the first one is taken.");
        self.send(&files[index], note);
    }

    /// Sends the chosen file again.
    pub fn retry(self) {
        if let Some(file) = chosen::file() {
            self.send(&file, None);
        }
    }

    /// Stops, and forgets the file.
    pub fn cancel(self) {
        chosen::forget();
        self.phase.set(Phase::Idle);
    }

    fn send(self, file: &File, note: Option<&'static str>) {
        let preview = chosen::choose(file.clone());
        self.sent.set(0.0);
        let sending = Sending {
            name: short(&file.name()),
            preview,
            note,
        };
        self.phase.set(Phase::Sending(sending.clone()));
        // The next page is ready as soon as the picture is there.
        if let Some(next) = self.next.try_update_value(Option::take).flatten() {
            prefetch(next.js);
            prefetch(next.wasm);
        }
        let progress = move |sent| self.sent.set(sent);
        let (outcome, cancel) = upload(file.clone(), self.max_bytes, progress);
        chosen::uploading(cancel);
        spawn(async move {
            match outcome.await {
                Ok(short_id) => {
                    self.phase.set(Phase::Done(sending, short_id));
                    open(&page_of(short_id));
                }
                // Whoever stopped it has said already what comes next.
                Err(UploadFailure::Cancelled) => {}
                Err(failure) => self.phase.set(Phase::Refused {
                    reason: failure.to_string(),
                    retry: failure.can_retry(),
                }),
            }
        });
    }
}

/// The address of an upload's page.
pub fn page_of(short_id: ShortId) -> String {
    format!("/u/{short_id}")
}

fn open(address: &str) {
    // Fails only for an address that is none.
    _ = window().location().set_href(address);
}

fn facts(file: &File) -> FileFacts {
    FileFacts {
        name: file.name(),
        media_type: file.type_(),
        size: file.size(),
    }
}
