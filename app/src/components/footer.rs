use leptos::prelude::*;

use crate::settings::Settings;
use crate::texts::texts;

/// The end of every page: the link to whoever runs this server, if the settings name an address.
#[component]
pub fn Footer() -> impl IntoView {
    let Settings { contact, .. } = expect_context();
    contact.map(|contact| {
        view! {
            <footer class="footer">
                // Not handled by the router, even if it is a page of this server.
                <a href=contact rel="external">{texts().contact}</a>
            </footer>
        }
    })
}
