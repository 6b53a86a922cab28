use leptos::html;
use leptos::prelude::*;
use web_sys::FocusOptions;

use crate::browser::Hydrated;
use crate::erased::{effect, erase};

/// The main part of a page. After a navigation within the app it takes the focus, as a loaded page does.
#[component]
pub fn Main<C: IntoView + 'static>(
    class: &'static str,
    children: TypedChildren<C>,
) -> impl IntoView {
    main_element(class, erase(children.into_inner()()))
}

fn main_element(class: &'static str, content: AnyView) -> impl IntoView {
    let main = NodeRef::<html::Main>::new();
    // Pages without scripts have no such context.
    let navigated = use_context::<Hydrated>().is_some_and(Hydrated::get_untracked);
    effect(move || {
        if let Some(main) = main.get().filter(|_| navigated) {
            let options = FocusOptions::new();
            options.set_prevent_scroll(true);
            // Fails only for elements that cannot have the focus.
            _ = main.focus_with_options(&options);
        }
    });
    view! {
        <main id="main" class=class tabindex="-1" node_ref=main>
            {content}
        </main>
    }
}
