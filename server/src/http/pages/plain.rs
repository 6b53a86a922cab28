//! Pages without scripts.

use std::convert::Infallible;

use app::settings::{Assets, Settings};
use app::texts::Language;
use axum::extract::FromRequestParts;
use axum::response::{Html, IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};

use super::security::set_headers_without_scripts;
use super::settings::settings;
use crate::http::accept;
use crate::http::error::ApiError;
use crate::http::extract::request_info::RequestInfo;
use crate::http::state::AppState;

/// Answers a request with pages without scripts, in the client's language.
pub struct PlainPages {
    state: AppState,
    /// Where the request came from.
    pub info: RequestInfo,
    /// The language that the client prefers.
    pub language: Language,
}

impl FromRequestParts<AppState> for PlainPages {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self {
            state: state.clone(),
            info: RequestInfo::from_parts(parts, &state.config),
            language: accept::language(&parts.headers),
        })
    }
}

impl PlainPages {
    /// Renders and answers with a page that no cache keeps.
    ///
    /// # Errors
    /// When no memory is left for another answer.
    pub fn respond(
        &self,
        status: StatusCode,
        render: impl FnOnce(&Assets, Settings, Language) -> String,
    ) -> Result<Response, ApiError> {
        let state = &self.state;
        let page = render(
            &state.site.assets,
            settings(state, &self.info),
            self.language,
        );
        let client = self.info.client.rate_limit_key();
        let reservation = state.response_budget.reserve(client, page.len())?;
        let page = Html(reservation.hold(page.into()));
        let mut response = (status, page).into_response();
        let headers = response.headers_mut();
        set_headers_without_scripts(headers, state.blobs.redirect_origin());
        let language = HeaderValue::from_static(self.language.tag());
        headers.insert(header::CONTENT_LANGUAGE, language);
        for (name, value) in [
            (header::VARY, "accept-language"),
            (header::CACHE_CONTROL, "no-store"),
            (header::HeaderName::from_static("x-robots-tag"), "noindex"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        Ok(response)
    }
}
