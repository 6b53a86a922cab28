//! The way in: a picture dropped anywhere, pasted, chosen or taken. Without scripts it is a plain form.

mod check;
mod phase;
mod sending;
mod uploader;
mod window_events;

use leptos::ev::{Event, SubmitEvent};
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_navigate;
use web_sys::{File, FilePropertyBag, HtmlInputElement};

use crate::browser::{chosen, clipboard};
use crate::source::Site;
use check::{ACCEPT, megabytes};
use phase::Phase;
use sending::SendingView;
use uploader::Uploader;
use window_events::take_from_window;

/// The home page's card.
#[component]
pub fn DropZone() -> impl IntoView {
    let max_bytes = expect_context::<Site>().max_upload_bytes;
    let uploader = Uploader::new(max_bytes, use_navigate());
    let hovering = take_from_window(uploader);
    on_cleanup(chosen::forget);
    let refusal = move || match uploader.phase.get() {
        Phase::Refused { reason, retry } => Some((reason, retry)),
        _ => None,
    };
    let sending = move || match uploader.phase.get() {
        Phase::Sending(sending) => Some(view! { <SendingView sending uploader/> }),
        _ => None,
    };
    view! {
        <div class="drop-zone" class:hovering=hovering>
            {sending}
            <UploadForm uploader max_bytes/>
            <div class="refusal" role="alert">
                {move || refusal().map(|(reason, retry)| view! {
                    <p>{reason}</p>
                    {retry.then(|| view! {
                        <button class="button" r#type="button" on:click=move |_| uploader.retry()>"Try again"</button>
                    })}
                })}
            </div>
        </div>
        <div class="drop-cover" class:shown=hovering aria-hidden="true"><p>"Drop it to share it"</p></div>
    }
    .into_any()
}

#[component]
fn UploadForm(uploader: Uploader, max_bytes: u64) -> impl IntoView {
    let picker = NodeRef::<Input>::new();
    let is_sending = move || matches!(*uploader.phase.read(), Phase::Sending(_));
    // A file may have been chosen before the page was hydrated.
    Effect::new(move || {
        if let Some(picker) = picker.get() {
            take_from_field(uploader, &picker);
        }
    });
    let change = move |ev: Event| take_from_field(uploader, &event_target(&ev));
    let submit = move |ev: SubmitEvent| ev.prevent_default();
    #[expect(clippy::cast_precision_loss, reason = "no limit comes near 2^53 bytes")]
    let limit = megabytes(max_bytes as f64);
    view! {
        <form
            class="upload-form"
            class:away=is_sending
            method="post"
            action="/api/uploads"
            enctype="multipart/form-data"
            on:submit=submit
        >
            <h2>"Drop an image anywhere"</h2>
            <div class="upload-ways">
                <label class="button primary">
                    "Choose an image"
                    <input r#type="file" name="file" accept=ACCEPT required node_ref=picker on:change=change/>
                </label>
                <label class="button camera scripted">
                    "Take a photo"
                    <input r#type="file" accept="image/*" capture="environment" on:change=change/>
                </label>
                <PasteButton uploader/>
                <button class="button unscripted" r#type="submit">"Upload"</button>
            </div>
            <p class="upload-limits">
                "PNG, JPEG, GIF or WebP, up to " {limit} ". Location data is removed."
            </p>
        </form>
    }
    .into_any()
}

/// Shown where the browser lets a page look at the clipboard; Ctrl+V works everywhere.
#[component]
fn PasteButton(uploader: Uploader) -> impl IntoView {
    let (offered, set_offered) = signal(false);
    Effect::new(move || set_offered.set(clipboard::can_read()));
    let paste = move |_| {
        spawn_local(async move {
            match clipboard::read_picture().await.and_then(|blob| named(&blob)) {
                Some(file) => uploader.take(&[file]),
                None => _ = uploader.phase.try_set(Phase::Refused {
                    reason: "There is no picture on the clipboard that this page may read. Copy one, then paste it."
                        .to_owned(),
                    retry: false,
                }),
            }
        });
    };
    move || {
        offered.get().then(|| {
            view! {
                <button class="button" r#type="button" on:click=paste>"Paste"</button>
            }
        })
    }
}

fn named(blob: &web_sys::Blob) -> Option<File> {
    let options = FilePropertyBag::new();
    options.set_type(&blob.type_());
    File::new_with_blob_sequence_and_options(
        &js_sys::Array::of1(blob),
        "The pasted picture",
        &options,
    )
    .ok()
}

fn take_from_field(uploader: Uploader, field: &HtmlInputElement) {
    let files = field.files();
    if files.as_ref().is_some_and(|files| files.length() > 0) {
        uploader.take_list(files);
        // So that choosing the same file again is a change again.
        field.set_value("");
    }
}
