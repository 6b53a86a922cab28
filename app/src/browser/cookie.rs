use js_sys::Reflect;
use leptos::prelude::document;

use crate::model::{ShortId, UPLOADED_COOKIE};

/// Whether this browser has just uploaded the image of this page by a plain form. True once for an upload.
pub fn take_uploaded(short_id: ShortId) -> bool {
    let (document, property) = (document(), "cookie".into());
    let cookies = Reflect::get(&document, &property).ok();
    let cookies = cookies.and_then(|cookies| cookies.as_string());
    let cookie = format!("{UPLOADED_COOKIE}={short_id}");
    let is_uploaded = cookies.is_some_and(|all| all.split("; ").any(|it| it == cookie));
    if is_uploaded {
        let expired = format!("{cookie}; Path=/u/{short_id}; Max-Age=0");
        // Fails only in documents without cookies.
        _ = Reflect::set(&document, &property, &expired.into());
    }
    is_uploaded
}
