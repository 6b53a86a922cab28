//! The pages, by address, and what stands there when there is nothing to show.

mod home;
mod not_found;
mod refused;
#[cfg(feature = "ssr")]
mod share;
mod unavailable;
mod upload;

pub use home::Home;
pub use not_found::NotFound;
pub use refused::Refused;
pub use unavailable::Unavailable;
pub use upload::Upload;

/// Tells the browser and its caches what kind of answer the page is. In the browser there is no answer any more.
#[cfg(feature = "ssr")]
fn answer_with(status: u16) {
    let status = http::StatusCode::from_u16(status).ok();
    if let (Some(options), Some(status)) = (
        leptos::prelude::use_context::<leptos_axum::ResponseOptions>(),
        status,
    ) {
        options.set_status(status);
    }
}

#[cfg(not(feature = "ssr"))]
fn answer_with(_status: u16) {}
