use leptos::prelude::*;

use super::phase::{announced_label, percent, progress_label};
use super::uploader::Uploader;

/// The local image with the upload's progress and a button that cancels it. Hidden while nothing is being uploaded.
#[component]
pub fn SendingView(uploader: Uploader) -> impl IntoView {
    let phase = uploader.phase;
    let idle = move || phase.read().sending().is_none();
    let preview = move || {
        phase
            .read()
            .sending()
            .map(|sending| sending.preview.as_str().to_owned())
    };
    let name = move || {
        phase
            .read()
            .sending()
            .map(|sending| sending.name.clone())
            .unwrap_or_default()
    };
    let note_text = move || {
        let phase = phase.read();
        phase.sending().and_then(|sending| sending.note.clone())
    };
    let note = move || note_text().unwrap_or_default();
    let no_note = move || note_text().is_none();
    let percent = move || percent(uploader.sent.get()).to_string();
    let state = move || progress_label(uploader.sent.get());
    let announced = move || announced_label(uploader.sent.get());
    view! {
        <div class="sending" hidden=idle>
            <div class="sending-picture">
                <img src=preview alt="The chosen image"/>
                <progress max="100" value=percent aria-label="Upload"></progress>
            </div>
            <p class="sending-name">
                <bdi>{name}</bdi>
            </p>
            <p class="sending-state" aria-hidden="true">
                {state}
            </p>
            <p class="visually-hidden" role="status">
                {announced}
            </p>
            <p class="sending-note" hidden=no_note>{note}</p>
            <button class="button" type="button" on:click=move |_| uploader.cancel()>
                "Cancel"
            </button>
        </div>
    }
}
