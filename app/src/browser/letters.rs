//! What Unicode says of characters. A browser knows it already; the same tables would bring the WASM 8 kB.

#[cfg(target_arch = "wasm32")]
use js_sys::{JsString, RegExp};

/// Whether it is a letter or a digit of any script.
#[cfg(target_arch = "wasm32")]
pub fn is_alphanumeric(sign: char) -> bool {
    sign.is_ascii_alphanumeric()
        || !sign.is_ascii()
            && RegExp::new(r"[\p{Alphabetic}\p{N}]", "u").test(sign.encode_utf8(&mut [0; 4]))
}

/// Whether it is a letter or a digit of any script.
#[cfg(not(target_arch = "wasm32"))]
pub fn is_alphanumeric(sign: char) -> bool {
    sign.is_alphanumeric()
}

/// Its capital form, or the first character of it.
#[cfg(target_arch = "wasm32")]
pub fn capital(sign: char) -> String {
    let capital: String = JsString::from(sign).to_upper_case().into();
    capital.chars().take(1).collect()
}

/// Its capital form, or the first character of it.
#[cfg(not(target_arch = "wasm32"))]
pub fn capital(sign: char) -> String {
    sign.to_uppercase().take(1).collect()
}
