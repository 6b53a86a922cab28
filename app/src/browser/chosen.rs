//! The picture that the reader chose last. It outlives a failed upload, so that trying again sends the same one.

use std::cell::RefCell;

use web_sys::{File, Url};

use crate::uploading::CancelUpload;

/// A file, its preview and the upload that is under way.
struct Chosen {
    file: File,
    preview: String,
    upload: Option<CancelUpload>,
}

impl Drop for Chosen {
    fn drop(&mut self) {
        if let Some(upload) = &self.upload {
            upload.cancel();
        }
        // Fails only for an address that was never given.
        _ = Url::revoke_object_url(&self.preview);
    }
}

thread_local! {
    /// A tab sends one picture at a time; choosing another one ends the first.
    static CHOSEN: RefCell<Option<Chosen>> = const { RefCell::new(None) };
}

/// Chooses the file and returns the address of its preview.
pub fn choose(file: File) -> String {
    let preview = Url::create_object_url_with_blob(&file).unwrap_or_default();
    let chosen = Chosen {
        file,
        preview: preview.clone(),
        upload: None,
    };
    drop(CHOSEN.replace(Some(chosen)));
    preview
}

/// The chosen file.
pub fn file() -> Option<File> {
    CHOSEN.with_borrow(|slot| slot.as_ref().map(|chosen| chosen.file.clone()))
}

/// Remembers how to stop the chosen file's upload.
pub fn uploading(upload: CancelUpload) {
    CHOSEN.with_borrow_mut(|slot| {
        if let Some(chosen) = slot {
            chosen.upload = Some(upload);
        }
    });
}

/// Forgets the file and stops its upload.
pub fn forget() {
    // Taken out first: stopping an upload may run code that looks here.
    drop(CHOSEN.take());
}
