//! The clipboard, in pages that may use it and by older means in those that may not.

use js_sys::{Array, Function, Promise, Reflect};
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ClipboardItem, HtmlInputElement};

/// Copies the text that the field shows; false when the browser allows it by no means.
pub async fn copy(field: &HtmlInputElement) -> bool {
    if let Some(clipboard) = clipboard_with("writeText")
        && JsFuture::from(clipboard.write_text(&field.value()))
            .await
            .is_ok()
    {
        return true;
    }
    copy_selection(field)
}

/// Pages without TLS have no clipboard object; this old command still works there. `web-sys` leaves it out as
/// deprecated for editing, hence the look-up by name.
fn copy_selection(field: &HtmlInputElement) -> bool {
    field.select();
    let document = document();
    Reflect::get(&document, &"execCommand".into())
        .ok()
        .and_then(|command| command.dyn_into::<Function>().ok())
        .and_then(|command| command.call1(&document, &"copy".into()).ok())
        .is_some_and(|copied| copied.is_truthy())
}

/// Whether [`read_picture`] is worth offering.
pub fn can_read() -> bool {
    clipboard_with("read").is_some()
}

/// The first picture on the clipboard, after the reader allowed looking at it.
pub async fn read_picture() -> Option<Blob> {
    let clipboard = clipboard_with("read")?;
    let items: Array = JsFuture::from(clipboard.read())
        .await
        .ok()?
        .dyn_into()
        .ok()?;
    for item in items.iter() {
        let item: ClipboardItem = item.unchecked_into();
        let picture = item
            .types()
            .iter()
            .filter_map(|kind| kind.as_string())
            .find(|kind| kind.starts_with("image/"));
        if let Some(kind) = picture {
            let blob: Promise = item.get_type(&kind);
            return JsFuture::from(blob).await.ok()?.dyn_into().ok();
        }
    }
    None
}

fn clipboard_with(method: &str) -> Option<web_sys::Clipboard> {
    let clipboard: JsValue = window().navigator().clipboard().into();
    let usable = clipboard.is_object()
        && Reflect::get(&clipboard, &method.into()).is_ok_and(|method| method.is_function());
    usable.then(|| clipboard.unchecked_into())
}
