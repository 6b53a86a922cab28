//! Stands in for the crate of this name. Leptos brings that one along for server functions that stream, of which the
//! app has none, and its classes for JavaScript are exported: no linker may leave them out, nor what they use, which is
//! 4 kB of WASM and script. Here is as much of it as Leptos needs to compile.

use futures::stream::{Empty, Stream};
use wasm_bindgen::JsValue;

/// A browser's stream.
#[derive(Debug)]
pub struct ReadableStream(web_sys::ReadableStream);

impl ReadableStream {
    /// Keeps the browser's stream.
    pub fn from_raw(raw: web_sys::ReadableStream) -> Self {
        Self(raw)
    }

    /// The browser's stream.
    pub fn into_raw(self) -> web_sys::ReadableStream {
        self.0
    }

    /// Never called: no server function is streamed to.
    pub fn from_stream(_stream: impl Stream<Item = Result<JsValue, JsValue>> + 'static) -> Self {
        unreachable!("there are no server functions")
    }

    /// Never called: no server function streams.
    pub fn into_stream(self) -> Empty<Result<JsValue, JsValue>> {
        unreachable!("there are no server functions")
    }
}
