//! The HTTP API as `OpenAPI` 3.1.

use app::model::{LogEntry, UploadRef};
use app::problem::Problem;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{Modify, OpenApi};

use super::examples;
use crate::http::routes::{admin, deletions, health, image, messages, oembed, reports, uploads};

/// The description of all calls that programs make.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tonesa",
        description = "Upload an image, and talk about it. docs/protocol.md of the project is the contract in words; \
            the socket is described by `/api/asyncapi.json`.",
    ),
    servers((url = "/")),
    paths(
        uploads::create,
        uploads::show,
        deletions::delete_upload,
        messages::list,
        messages::create,
        deletions::delete_message,
        reports::create,
        image::show,
        image::show_preview,
        oembed::show,
        admin::api::list,
        admin::api::delete_upload,
        admin::api::dismiss_reports,
        admin::api::delete_message,
        admin::api::blocked_addresses,
        admin::api::block_address,
        admin::api::unblock_address,
        super::show_openapi,
        super::show_asyncapi,
        health::live,
        health::ready,
    ),
    components(schemas(Problem, LogEntry, UploadRef)),
    modifiers(&Security, &Examples),
)]
struct Api;

pub fn document() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

struct Security;

impl Modify for Security {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        for (name, description) in [
            (
                "secret",
                "A secret of the client's own making, 22 to 86 letters, digits, `-` or `_`: who brings it again owns \
                 what was written with it",
            ),
            ("adminToken", "The token of whoever runs the service"),
        ] {
            let mut scheme = Http::new(HttpAuthScheme::Bearer);
            scheme.description = Some(description.to_owned());
            components.add_security_scheme(name, SecurityScheme::Http(scheme));
        }
    }
}

struct Examples;

impl Modify for Examples {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        for (name, values) in examples::of_schemas() {
            match components.schemas.get_mut(name) {
                Some(RefOr::T(Schema::Object(schema))) => schema.examples = values,
                Some(RefOr::T(Schema::OneOf(schema))) => schema.examples = values,
                _ => {}
            }
        }
    }
}
