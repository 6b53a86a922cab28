use leptos::html;
use leptos::prelude::*;
use web_sys::FocusOptions;

use crate::browser::Hydrated;

/// The main part of a page. It takes the focus when the app has come here from another page, as a browser gives it to a
/// page that is loaded.
#[component]
pub fn Main(class: &'static str, children: Children) -> impl IntoView {
    let main = NodeRef::<html::Main>::new();
    let navigated = Hydrated::expect().get_untracked();
    Effect::new(move || {
        if let Some(main) = main.get().filter(|_| navigated) {
            let options = FocusOptions::new();
            options.set_prevent_scroll(true);
            // Fails only for what cannot have the focus.
            _ = main.focus_with_options(&options);
        }
    });
    view! {
        <main id="main" class=class tabindex="-1" node_ref=main>
            {children()}
        </main>
    }
}
