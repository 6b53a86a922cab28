//! Tonesa in the browser. The page that the server rendered loads it and calls [`hydrate`].

use wasm_bindgen::prelude::wasm_bindgen;

/// Hydrates the page. Panics are logged to the console.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    app::start();
}
