use leptos::ev::Event;
use leptos::prelude::*;
use web_sys::HtmlElement;

use super::expiry::KeepChoice;
use super::phase::{announced_label, percent, progress_label};
use super::uploader::Uploader;
use crate::texts::texts;

/// The local image with the upload's progress, or with the question whether to upload it, and a button that cancels.
/// Hidden while there is none.
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
    // Not every file that may be chosen is one that the browser can show.
    let show_or_hide = |ev: Event| {
        event_target::<HtmlElement>(&ev).set_hidden(ev.type_() == "error");
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
    let offered = move || phase.read().sending().is_some_and(|it| it.offered);
    let percent = move || percent(uploader.sent.get()).to_string();
    let label = move |of_progress: fn(f64) -> String| {
        if offered() {
            texts().nothing_sent_yet.to_owned()
        } else {
            of_progress(uploader.sent.get())
        }
    };
    let state = move || label(progress_label);
    let announced = move || label(announced_label);
    view! {
        <div class="sending" hidden=idle>
            <h2 hidden=move || !offered()>{texts().upload_this}</h2>
            <div class="sending-picture">
                <img
                    src=preview
                    alt=texts().chosen_image
                    on:load=show_or_hide
                    on:error=move |ev| show_or_hide(ev.into())
                />
                <progress
                    max="100"
                    value=percent
                    aria-label=texts().upload
                    hidden=offered
                ></progress>
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
            <div hidden=move || !offered()>
                {uploader.asks.then(|| view! { <KeepChoice uploader/> })}
            </div>
            <div class="upload-ways">
                <button
                    class="button primary"
                    type="button"
                    hidden=move || !offered()
                    on:click=move |_| uploader.retry()
                >
                    {texts().upload}
                </button>
                <button class="button" type="button" on:click=move |_| uploader.cancel()>
                    {texts().cancel}
                </button>
            </div>
        </div>
    }
}
