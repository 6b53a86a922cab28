use leptos::prelude::*;

use super::phase::{Sending, progress_label};
use super::uploader::Uploader;

/// The picture from the local file, with the progress over it and a way to stop.
#[component]
pub fn SendingView(sending: Sending, uploader: Uploader) -> impl IntoView {
    let Sending {
        name,
        preview,
        note,
    } = sending;
    view! {
        <div class="sending">
            <div class="sending-picture">
                <img src=preview alt=format!("Preview of {name}")/>
                <progress
                    max="1"
                    aria-label="Upload"
                    prop:value=move || uploader.sent.get()
                ></progress>
            </div>
            <p class="sending-name"><bdi>{name}</bdi></p>
            <p class="sending-state" role="status">{move || progress_label(uploader.sent.get())}</p>
            {note.map(|note| view! { <p class="sending-note">{note}</p> })}
            <button class="button" r#type="button" on:click=move |_| uploader.cancel()>"Cancel"</button>
        </div>
    }
}
