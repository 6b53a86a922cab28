//! The problems that calls of the API are answered with, in groups.

use std::collections::BTreeMap;

use app::problem::{PROBLEM_JSON, Problem};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response};
use utoipa::{IntoResponses, ToSchema};

use crate::http::error::ProblemType;

/// Defines a type for the problems with these statuses.
macro_rules! problems {
    ($($(#[$doc:meta])+ $name:ident: $($status:literal)+;)+) => {
        $(
            $(#[$doc])+
            pub struct $name;

            impl IntoResponses for $name {
                fn responses() -> BTreeMap<String, RefOr<Response>> {
                    problems(&[$($status),+])
                }
            }
        )+
    };
}

problems! {
    /// What any request may be answered with.
    Any: 400 500 503;
    /// For a call that names an upload.
    OfUpload: 404 410 429;
    /// For a call that writes.
    OnWrite: 401 403 429;
    /// For a call with a body.
    WithBody: 408 413 415 422;
    /// For a call with a file.
    WithFile: 507;
    /// For a call with parameters.
    OutOfBounds: 422;
    /// For a conditional request, or one for a part of a file.
    OfFile: 412 416;
    /// For a call that whoever runs the service makes.
    ForAdmin: 401 404 429;
    /// For a call that could be answered in another format.
    OtherFormat: 501;
}

fn problems(statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    let document = Ref::from_schema_name(Problem::name());
    let document = ContentBuilder::new().schema(Some(document)).build();
    let responses = statuses.iter().map(|status| {
        let response = ResponseBuilder::new()
            .description(types_of(*status))
            .content(PROBLEM_JSON, document.clone());
        (status.to_string(), response.build().into())
    });
    responses.collect()
}

/// Names the types of problems with this status.
fn types_of(status: u16) -> String {
    let types = ProblemType::ALL.iter();
    let types = types.filter(|it| it.status().as_u16() == status);
    let names: Vec<_> = types.map(|it| format!("`{}`", it.uri())).collect();
    names.join(", ")
}
