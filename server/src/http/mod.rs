//! The HTTP API and the pages: listening, routes, handlers, and middleware for all requests.

pub mod accept;
pub mod assets;
pub mod body;
pub mod conditions;
pub mod cors;
pub mod deadline;
pub mod default_headers;
pub mod error;
pub mod error_page;
pub mod extract;
pub mod metrics;
pub mod metrics_endpoint;
pub mod pages;
pub mod pictures;
pub mod representation;
pub mod request_log;
pub mod routes;
pub mod serve;
mod shutdown;
pub mod state;
pub mod stream;
