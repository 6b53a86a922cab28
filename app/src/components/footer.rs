use leptos::prelude::*;

use crate::model::ShortId;
use crate::settings::Settings;
use crate::texts::texts;

/// The end of every page: the form to report its picture, if it shows one and somebody reads reports, and whom to write
/// to, if the settings name an address.
#[component]
pub fn Footer(#[prop(optional)] picture: Option<ShortId>) -> impl IntoView {
    let Settings {
        takes_reports,
        contact,
        ..
    } = expect_context();
    // Links are not handled by the router: pages of this server that they lead to are not the app's.
    let report = picture.filter(|_| takes_reports).map(|id| {
        view! { <a href=format!("/u/{id}/report") rel="external nofollow">{texts().report}</a> }
    });
    let contact = contact.map(|contact| {
        view! { <a href=contact rel="external">{texts().contact}</a> }
    });
    let is_empty = report.is_none() && contact.is_none();
    (!is_empty).then(|| view! { <footer class="footer">{report} {contact}</footer> })
}
