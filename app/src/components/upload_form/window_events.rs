use leptos::ev;
use leptos::prelude::*;
use web_sys::DataTransfer;

use super::uploader::Uploader;

/// Lets the whole window take dropped and pasted pictures. Answers whether files hang over it.
pub fn take_from_window(uploader: Uploader) -> RwSignal<bool> {
    let hovering = RwSignal::new(false);
    // The window exists in the browser only, as do effects.
    Effect::new(move || {
        // Entering a child comes before leaving its parent: only their balance tells whether the pointer is inside.
        let inside = StoredValue::new(0_i32);
        let step = move |by: i32| {
            inside.update_value(|inside| *inside = (*inside + by).max(0));
            hovering.set(inside.get_value() > 0);
        };
        let listeners = [
            window_event_listener(ev::dragenter, move |ev| {
                if brings_files(&ev) {
                    step(1);
                }
            }),
            window_event_listener(ev::dragleave, move |ev| {
                if brings_files(&ev) {
                    step(-1);
                }
            }),
            // Without this the browser would leave the page and show the file.
            window_event_listener(ev::dragover, move |ev| {
                if brings_files(&ev) {
                    ev.prevent_default();
                }
            }),
            window_event_listener(ev::drop, move |ev| {
                if brings_files(&ev) {
                    ev.prevent_default();
                    inside.set_value(0);
                    hovering.set(false);
                    uploader.take_list(ev.data_transfer().and_then(|data| data.files()));
                }
            }),
            window_event_listener(ev::paste, move |ev| {
                uploader.take_list(ev.clipboard_data().and_then(|data| data.files()));
            }),
            // Whoever comes back to the page, which the browser may have kept as it was, begins anew.
            window_event_listener(ev::pagehide, move |_| uploader.cancel()),
        ];
        on_cleanup(move || listeners.into_iter().for_each(WindowListenerHandle::remove));
    });
    hovering
}

fn brings_files(ev: &ev::DragEvent) -> bool {
    ev.data_transfer()
        .map(|data: DataTransfer| data.types())
        .is_some_and(|types| types.includes(&"Files".into(), 0))
}
