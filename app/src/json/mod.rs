//! JSON on the browser's side of the wire. There the browser's own parser and writer do it: a parser of ours, and above
//! all the tables with which numbers are written and read, would make up a tenth of the WASM. Elsewhere, as in tests,
//! `serde_json` stands in for them.

#[cfg(target_arch = "wasm32")]
mod reader;
#[cfg(target_arch = "wasm32")]
mod unfit;
#[cfg(target_arch = "wasm32")]
mod writer;

use serde::Serialize;
use serde::de::DeserializeOwned;

#[cfg(target_arch = "wasm32")]
use self::unfit::Unfit;

/// Reads what the server sent; `None` when it is not what was expected.
#[cfg(target_arch = "wasm32")]
pub fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    let value = js_sys::JSON::parse(text).ok()?;
    T::deserialize(reader::Reader(value)).ok()
}

/// Reads what the server sent; `None` when it is not what was expected.
#[cfg(not(target_arch = "wasm32"))]
pub fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

/// Writes what is sent to the server; `None` for what JSON cannot say.
#[cfg(target_arch = "wasm32")]
pub fn write<T: Serialize>(value: &T) -> Option<String> {
    let value = value.serialize(writer::Writer).ok()?;
    js_sys::JSON::stringify(&value).ok()?.as_string()
}

/// Writes what is sent to the server; `None` for what JSON cannot say.
#[cfg(not(target_arch = "wasm32"))]
pub fn write<T: Serialize>(value: &T) -> Option<String> {
    serde_json::to_string(value).ok()
}
