//! The WASM entry: hydrates the page that the server rendered, nothing else.

use wasm_bindgen::prelude::wasm_bindgen;

/// Two kilobytes smaller than the standard library's.
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Called once by the page's module script when the WASM is ready.
#[wasm_bindgen]
pub fn hydrate() {
    app::hydrate();
}
