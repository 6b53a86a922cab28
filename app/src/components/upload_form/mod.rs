//! Uploads an image that is dropped anywhere, pasted, chosen or taken. Works without scripts, as a plain form.

mod check;
mod expiry;
mod kept_focus;
mod phase;
mod sending;
mod uploader;
mod window_events;

use leptos::ev::{Event, SubmitEvent};
use leptos::html::{Dialog, Input};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use web_sys::{File, FilePropertyBag, HtmlInputElement};

use crate::browser::clipboard;
use crate::erased::{effect, erase};
use crate::texts::{fill, size, texts};
use check::ACCEPT;
use expiry::KeepChoice;
use kept_focus::KeptFocus;
use sending::SendingView;
use uploader::Uploader;
use window_events::take_from_window;

/// The upload form, or the progress of an upload.
#[component]
pub fn DropZone(
    /// The largest file that may be uploaded, in bytes.
    max_bytes: u64,
) -> impl IntoView {
    let uploader = Uploader::new(max_bytes, false);
    let hovering = take_from_window(uploader);
    open_when_done(uploader);
    let focus = KeptFocus::new(uploader);
    view! {
        <div
            class="drop-zone"
            class:hovering=move || hovering.get()
            node_ref=focus.zone
            on:focusin=move |_| focus.on_focus()
            on:focusout=move |ev| focus.on_blur(&ev)
        >
            <SendingView uploader/>
            <UploadForm uploader max_bytes/>
            <Refusal uploader/>
        </div>
        <DropCover hovering/>
    }
}

/// Asks whether to upload an image that is dropped on or pasted into a page about another one.
#[component]
pub fn UploadOffer(
    /// The largest file that may be uploaded, in bytes.
    max_bytes: u64,
) -> impl IntoView {
    let uploader = Uploader::new(max_bytes, true);
    let hovering = take_from_window(uploader);
    open_when_done(uploader);
    let dialog = NodeRef::<Dialog>::new();
    let focus = KeptFocus::new(uploader);
    effect(move || {
        let Some(dialog) = dialog.get() else { return };
        if !uploader.phase.read().is_open() {
            dialog.close();
        } else if !dialog.open() {
            // Fails only for a dialog that is not in the document.
            _ = dialog.show_modal();
        }
    });
    erase(view! {
        <dialog
            class="offer"
            aria-label=texts().new_picture
            node_ref=dialog
            on:close=move |_| {
                // The event comes later than the closing: another image may have been offered meanwhile.
                let is_closed = dialog.get_untracked().is_none_or(|dialog| !dialog.open());
                if is_closed && uploader.phase.read_untracked().is_open() {
                    uploader.cancel();
                }
            }
        >
            <div
                node_ref=focus.zone
                on:focusin=move |_| focus.on_focus()
                on:focusout=move |ev| focus.on_blur(&ev)
            >
                <SendingView uploader/>
                <Refusal uploader/>
                <form method="dialog" hidden=move || uploader.phase.read().sending().is_some()>
                    <button class="button">{texts().close}</button>
                </form>
            </div>
        </dialog>
        <DropCover hovering/>
    })
}

/// Opens the page of the image once it is uploaded.
fn open_when_done(uploader: Uploader) {
    let navigate = use_navigate();
    effect(move || {
        if let Some(short_id) = uploader.phase.read().done() {
            navigate(&format!("/u/{short_id}"), NavigateOptions::default());
        }
    });
}

/// Covers the page while files are dragged over it.
#[component]
fn DropCover(hovering: RwSignal<bool>) -> impl IntoView {
    view! {
        <div class="drop-cover" class:shown=move || hovering.get() aria-hidden="true">
            <p>{texts().drop_to_share}</p>
        </div>
    }
}

/// The reason why the upload was refused or failed.
#[component]
fn Refusal(uploader: Uploader) -> impl IntoView {
    let reason = move || uploader.phase.read().reason().to_owned();
    let no_reason = move || uploader.phase.read().reason().is_empty();
    let no_retry = move || !uploader.phase.read().can_retry();
    view! {
        <div class="refusal" role="alert">
            <p hidden=no_reason>{reason}</p>
            <button
                class="button"
                type="button"
                hidden=no_retry
                on:click=move |_| uploader.retry()
            >
                {texts().try_again}
            </button>
        </div>
    }
}

#[component]
fn UploadForm(uploader: Uploader, max_bytes: u64) -> impl IntoView {
    let picker = NodeRef::<Input>::new();
    let camera = NodeRef::<Input>::new();
    let is_sending = move || uploader.phase.read().sending().is_some();
    // A file may have been chosen before hydration.
    effect(move || {
        for field in [picker, camera] {
            if let Some(field) = field.get() {
                take_from_field(uploader, &field);
            }
        }
    });
    let change = move |ev: Event| take_from_field(uploader, &event_target(&ev));
    let submit = move |ev: SubmitEvent| ev.prevent_default();
    let texts = texts();
    let limit = size(max_bytes, texts);
    let limits = fill(texts.upload_limits, &[("limit", &limit)]);
    view! {
        <form
            class="upload-form"
            hidden=is_sending
            method="post"
            action="/api/uploads"
            enctype="multipart/form-data"
            on:submit=submit
        >
            <h2>
                <span class="for-mouse">{texts.drop_anywhere}</span>
                <span class="for-touch">{texts.share_an_image}</span>
            </h2>
            <div class="upload-ways">
                <label class="button primary">
                    {texts.choose_image}
                    <input type="file" name="file" accept=ACCEPT required node_ref=picker on:change=change/>
                </label>
                <label class="button camera scripted">
                    {texts.take_photo}
                    <input type="file" accept="image/*" capture="environment" node_ref=camera on:change=change/>
                </label>
                <PasteButton uploader/>
                <button class="button primary unscripted" type="submit">{texts.upload}</button>
            </div>
            <KeepChoice uploader/>
            <p class="upload-limits">{limits}</p>
        </form>
    }
}

/// Pastes an image; shown if the browser lets pages read the clipboard. Ctrl+V works everywhere.
#[component]
fn PasteButton(uploader: Uploader) -> impl IntoView {
    // Its room is kept until that is known, so that nothing moves.
    let is_unsupported = RwSignal::new(false);
    effect(move || is_unsupported.set(!clipboard::can_read()));
    let paste = move |_| {
        spawn_local(async move {
            match clipboard::read_image().await.and_then(|blob| named(&blob)) {
                Some(file) => uploader.take(&[file]),
                None => uploader.refuse(texts().no_image_on_clipboard.to_owned()),
            }
        });
    };
    let is_hidden = move || is_unsupported.get();
    view! {
        <button class="button paste scripted" type="button" hidden=is_hidden on:click=paste>
            {texts().paste}
        </button>
    }
}

fn named(blob: &web_sys::Blob) -> Option<File> {
    let options = FilePropertyBag::new();
    options.set_type(&blob.type_());
    File::new_with_blob_sequence_and_options(
        &js_sys::Array::of1(blob),
        texts().pasted_image,
        &options,
    )
    .ok()
}

fn take_from_field(uploader: Uploader, field: &HtmlInputElement) {
    let files = field.files();
    if files.as_ref().is_some_and(|files| files.length() > 0) {
        uploader.take_list(files);
        // So that choosing the same file again is another change.
        field.set_value("");
    }
}
