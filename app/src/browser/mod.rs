//! Thin wrappers around browser APIs that gloo does not have. On the server they compile but are never called.

pub mod clipboard;
pub mod clock;
mod cookie;
mod focus;
mod friendly_name;
mod hydrated;
pub mod object_url;
pub mod random;
mod scoped_timeout;
pub mod storage;
mod target;
mod wall_clock;

pub use cookie::take_uploaded;
pub use focus::focus;
pub use hydrated::Hydrated;
pub use scoped_timeout::ScopedTimeout;
pub use target::{closest, target};
