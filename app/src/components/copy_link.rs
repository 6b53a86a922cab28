use std::time::Duration;

use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::browser::clipboard;

/// How long the button reads "Copied".
const COPIED_DURATION: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, PartialEq)]
enum CopyState {
    Idle,
    Copied,
    /// The browser does not allow it: the link is shown, selected, for copying by hand.
    Manual,
}

/// A button that copies the page's link. Without scripts the link itself is shown.
#[component]
pub fn CopyLink(link: String) -> impl IntoView {
    let field = NodeRef::<Input>::new();
    let state = RwSignal::new(CopyState::Idle);
    let copy = move |_| {
        let Some(field) = field.get_untracked() else {
            return;
        };
        spawn_local(async move {
            if clipboard::copy(&field).await {
                state.set(CopyState::Copied);
                set_timeout(
                    move || {
                        state.set(CopyState::Idle);
                    },
                    COPIED_DURATION,
                );
            } else {
                state.set(CopyState::Manual);
                field.select();
            }
        });
    };
    let is_manual = move || state.get() == CopyState::Manual;
    let label = move || match state.get() {
        CopyState::Copied => "Copied".to_owned(),
        CopyState::Idle | CopyState::Manual => "Copy link".to_owned(),
    };
    view! {
        <input
            class="link-field"
            class:by-hand=is_manual
            node_ref=field
            aria-label="Link to this page"
            readonly
            value=link
        />
        <button class="button primary scripted copy-link" r#type="button" aria-live="polite" on:click=copy>
            {label}
        </button>
    }
}
