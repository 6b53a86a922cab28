use leptos::prelude::*;

use super::phase::{percent, progress_label};
use super::uploader::{Uploader, page_of};
use crate::erased::{derive, handler};

/// The picture from the local file, with the progress over it and a way to stop; once it is sent, with a link to its
/// page, which opens by itself unless the browser was stopped. In the document all the time, and shown while a picture
/// is on its way.
#[component]
pub fn SendingView(uploader: Uploader) -> impl IntoView {
    let phase = uploader.phase;
    let idle = derive(move || phase.read().sending().is_none());
    let preview = derive(move || {
        phase
            .read()
            .sending()
            .map(|sending| sending.preview.clone())
    });
    let name = derive(move || {
        phase
            .read()
            .sending()
            .map(|sending| sending.name.clone())
            .unwrap_or_default()
    });
    let note_text = move || {
        let phase = phase.read();
        phase.sending().and_then(|sending| sending.note)
    };
    let note = derive(move || note_text().unwrap_or_default().to_owned());
    let no_note = derive(move || note_text().is_none());
    let percent = derive(move || percent(uploader.sent.get()).to_string());
    let state = derive(move || {
        if phase.read().done().is_some() {
            "Uploaded. Opening its page…".to_owned()
        } else {
            progress_label(uploader.sent.get())
        }
    });
    let link = derive(move || phase.read().done().map(page_of));
    let not_done = derive(move || phase.read().done().is_none());
    let done = derive(move || phase.read().done().is_some());
    view! {
        <div class="sending" hidden=idle>
            <div class="sending-picture">
                <img src=preview alt="The chosen picture"/>
                <progress max="100" value=percent aria-label="Upload"></progress>
            </div>
            <p class="sending-name">
                <bdi>{name}</bdi>
            </p>
            <p class="sending-state" role="status">
                {state}
            </p>
            <p class="sending-note" hidden=no_note>{note}</p>
            <a class="button primary" href=link hidden=not_done>
                "Open the picture"
            </a>
            <button class="button" r#type="button" hidden=done on:click:capture=handler(move |_| uploader.cancel())>
                "Cancel"
            </button>
        </div>
    }
}
