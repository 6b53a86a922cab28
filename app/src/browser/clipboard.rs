//! The clipboard; without permission or HTTPS by the older `execCommand`.

use js_sys::{Array, Function, Promise, Reflect};
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ClipboardItem, HtmlInputElement};

/// Copies the field's text; returns false if the browser does not allow it.
pub async fn copy(field: &HtmlInputElement) -> bool {
    copy_text(&field.value()).await || copy_selection(field)
}

/// Copies this text; returns false if the browser does not allow it, as on pages without HTTPS.
pub async fn copy_text(text: &str) -> bool {
    match clipboard_with("writeText") {
        Some(clipboard) => JsFuture::from(clipboard.write_text(text)).await.is_ok(),
        None => false,
    }
}

/// Pages without HTTPS have no clipboard object, but this deprecated command, which `web-sys` lacks.
fn copy_selection(field: &HtmlInputElement) -> bool {
    field.select();
    let document = document();
    Reflect::get(&document, &"execCommand".into())
        .ok()
        .and_then(|command| command.dyn_into::<Function>().ok())
        .and_then(|command| command.call1(&document, &"copy".into()).ok())
        .is_some_and(|copied| copied.is_truthy())
}

/// Whether the browser offers [`read_image`].
pub fn can_read() -> bool {
    clipboard_with("read").is_some()
}

/// Returns the first image on the clipboard; the browser may ask for permission.
pub async fn read_image() -> Option<Blob> {
    let clipboard = clipboard_with("read")?;
    let items: Array = JsFuture::from(clipboard.read())
        .await
        .ok()?
        .dyn_into()
        .ok()?;
    for item in items.iter() {
        let item: ClipboardItem = item.unchecked_into();
        let image = item
            .types()
            .iter()
            .filter_map(|kind| kind.as_string())
            .find(|kind| kind.starts_with("image/"));
        if let Some(kind) = image {
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
