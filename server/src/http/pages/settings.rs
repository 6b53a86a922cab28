use app::settings::Settings;

use crate::http::extract::request_info::RequestInfo;
use crate::http::state::AppState;

/// Returns the settings that the pages of this request need.
pub fn settings(state: &AppState, info: &RequestInfo) -> Settings {
    Settings {
        origin: info.public_origin(&state.config),
        max_upload_bytes: state.config.limits.upload_bytes,
        max_age_seconds: state.config.limits.max_age_seconds,
        is_indexed: state.config.is_indexed,
        takes_reports: state.config.admin_token.is_some(),
        contact: state.config.contact.as_ref().map(ToString::to_string),
    }
}
