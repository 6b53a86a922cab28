use leptos::ev;
use leptos::prelude::*;

use web_sys::DataTransfer;

use super::uploader::Uploader;
use crate::browser::target;
use crate::erased::effect;
use crate::texts::texts;

/// What a dragged link or a picture of another page is without its file.
const ADDRESS: &str = "text/uri-list";

/// Accepts images that are dropped or pasted anywhere in the window. Returns whether files are dragged over it.
pub fn take_from_window(uploader: Uploader) -> RwSignal<bool> {
    let hovering = RwSignal::new(false);
    // Effects run in the browser only, as `window` requires.
    effect(move || {
        // Entering a child fires before leaving its parent, so the events are counted.
        let inside = StoredValue::new(0_i32);
        let step = move |by: i32| {
            inside.update_value(|inside| *inside = (*inside + by).max(0));
            hovering.set(inside.get_value() > 0);
        };
        let end = move || {
            if hovering.get_untracked() {
                inside.set_value(0);
                hovering.set(false);
            }
        };
        // Links and pictures of the page itself are no new ones.
        let is_own = StoredValue::new(false);
        let listeners = [
            window_event_listener(ev::dragstart, move |_| is_own.set_value(true)),
            window_event_listener(ev::dragend, move |_| is_own.set_value(false)),
            window_event_listener(ev::dragenter, move |ev| {
                if has_files(&ev) && !is_own.get_value() {
                    step(1);
                }
            }),
            window_event_listener(ev::dragleave, move |ev| {
                if has_files(&ev) && !is_own.get_value() {
                    step(-1);
                }
            }),
            // Otherwise the browser would leave the page and show the file, or what is at the address.
            window_event_listener(ev::dragover, move |ev| {
                if has_files(&ev) || has_address(&ev) {
                    ev.prevent_default();
                }
            }),
            window_event_listener(ev::drop, move |ev| {
                end();
                let with_files = has_files(&ev);
                if !with_files && !has_address(&ev) {
                    return;
                }
                ev.prevent_default();
                if is_own.get_value() {
                    // Dropped where it came from.
                } else if with_files {
                    uploader.take_list(ev.data_transfer().and_then(|data| data.files()));
                } else {
                    uploader.refuse(texts().only_an_address.to_owned());
                }
            }),
            // There are none while something is dragged, so the end of it went unnoticed.
            window_event_listener(ev::pointermove, move |_| end()),
            window_event_listener(ev::pointerdown, move |_| end()),
            window_event_listener(ev::paste, move |ev| {
                if !is_text_for_field(&ev) {
                    uploader.take_list(ev.clipboard_data().and_then(|data| data.files()));
                }
            }),
            // The browser may keep the page and show it again on the way back.
            window_event_listener(ev::pagehide, move |_| uploader.cancel()),
        ];
        on_cleanup(move || listeners.into_iter().for_each(WindowListenerHandle::remove));
    });
    hovering
}

fn has_files(ev: &ev::DragEvent) -> bool {
    has(ev, "Files")
}

/// Whether an address is dragged, and not into a text field, which takes it as text.
fn has_address(ev: &ev::DragEvent) -> bool {
    has(ev, ADDRESS) && !is_on_field(ev)
}

/// Whether something of this kind is dragged.
fn has(ev: &ev::DragEvent, kind: &str) -> bool {
    ev.data_transfer()
        .map(|data: DataTransfer| data.types())
        .is_some_and(|types| types.includes(&kind.into(), 0))
}

/// Whether text is pasted into a field. Office programs add a picture of it.
fn is_text_for_field(ev: &ev::ClipboardEvent) -> bool {
    let data = ev.clipboard_data();
    let has_text = data.is_some_and(|data| data.types().includes(&"text/plain".into(), 0));
    has_text && is_on_field(ev)
}

fn is_on_field(ev: &ev::Event) -> bool {
    target(ev).is_some_and(|target| target.matches("input, textarea") == Ok(true))
}
