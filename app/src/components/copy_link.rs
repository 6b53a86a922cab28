use std::time::Duration;

use leptos::html::Input;
use leptos::prelude::*;

use crate::browser::clipboard;
use leptos::task::spawn_local;

/// How long the button says that it copied.
const SAID_FOR: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, PartialEq)]
enum Copying {
    Idle,
    Copied,
    /// The browser allows it by no means: the link is shown, selected, to be copied by hand.
    ByHand,
}

/// The page's main action: its link, to be sent to others. Without scripts the link itself stands there.
#[component]
pub fn CopyLink(link: String) -> impl IntoView {
    let field = NodeRef::<Input>::new();
    let copying = RwSignal::new(Copying::Idle);
    let copy = move |_| {
        let Some(field) = field.get_untracked() else {
            return;
        };
        spawn_local(async move {
            if clipboard::copy(&field).await {
                copying.set(Copying::Copied);
                set_timeout(
                    move || {
                        copying.set(Copying::Idle);
                    },
                    SAID_FOR,
                );
            } else {
                copying.set(Copying::ByHand);
                field.select();
            }
        });
    };
    let by_hand = move || copying.get() == Copying::ByHand;
    let label = move || match copying.get() {
        Copying::Copied => "Copied".to_owned(),
        Copying::Idle | Copying::ByHand => "Copy link".to_owned(),
    };
    view! {
        <input
            class="link-field"
            class:by-hand=by_hand
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
