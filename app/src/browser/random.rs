//! Random names.

use std::fmt::Debug;
use std::str::FromStr;

use web_sys::window;

/// A unique name: 128 random bits in hexadecimal digits.
///
/// `crypto.randomUUID` would do, but exists on HTTPS and localhost only.
pub fn name<T: FromStr<Err: Debug>>() -> T {
    let mut bytes = [0; 16];
    let filled = window()
        .and_then(|window| window.crypto().ok())
        .and_then(|crypto| crypto.get_random_values_with_u8_array(&mut bytes).ok());
    if filled.is_none() {
        bytes.fill_with(|| js_sys::Math::random().to_bits().to_le_bytes()[3]);
    }
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    let name: String = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect();
    name.parse().expect("32 hexadecimal digits are a name")
}
