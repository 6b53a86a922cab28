//! How a page's link gets to others: to copy, for the system's share sheet, and as a QR code. Without scripts the link
//! and the code are there.

use std::time::Duration;

use js_sys::Reflect;
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;
use web_sys::ShareData;

use crate::browser::{clipboard, closest, focus};
use crate::components::announcement::Note;
use crate::components::expiry_date::expiry_date;
use crate::components::picture_deletions::PictureDeletions;
use crate::erased::{effect, erase};
use crate::model::{ShortId, Timestamp};
use crate::settings::Settings;
use crate::texts::texts;

/// How long the button reads "Copied".
const COPIED_DURATION: Duration = Duration::from_secs(2);

/// The page's main action: opens what there is to share. The browser opens and closes it, without the app.
#[component]
pub fn ShareButton(
    short_id: ShortId,
    /// When the image expires, if it does.
    expires_at: Option<Timestamp>,
    /// Whether this browser has shared the image, and may delete it.
    is_owner: ReadSignal<bool>,
) -> impl IntoView {
    let deletions = PictureDeletions::expect();
    view! {
        <div class="share">
            <button
                class="button primary share-open"
                r#type="button"
                popovertarget="share"
                on:click=move |ev| {
                    // Safari focuses no button that is clicked. Its versions without popovers show the box for the
                    // focus.
                    if let Some(button) = closest(&ev, "button") {
                        focus(&button);
                    }
                }
            >
                {texts().share}
            </button>
            // It can have the focus, so that a click in it does not take that out of it.
            <section
                id="share"
                class="share-box"
                popover="auto"
                tabindex="-1"
                aria-label=texts().share_this_picture
            >
                <p class="share-title">{texts().anyone_with_link}</p>
                <ShareLink short_id/>
                <p class="share-more">
                    {expiry_date(expires_at)}
                    <button
                        class="text-button"
                        r#type="button"
                        hidden=move || !is_owner.get()
                        on:click=move |_| deletions.delete(short_id)
                    >
                        {texts().delete_picture}
                    </button>
                </p>
            </section>
        </div>
    }
}

/// The link to an upload's page, with all ways to share it.
#[component]
pub fn ShareLink(short_id: ShortId) -> impl IntoView {
    let Settings { origin, .. } = expect_context();
    let field = NodeRef::<Input>::new();
    let copied = Note::new(COPIED_DURATION);
    let copy = move |_| {
        let Some(field) = field.get_untracked() else {
            return;
        };
        spawn_local(async move {
            // Where the browser does not allow it, the selected link remains for copying by hand.
            if clipboard::copy(&field).await {
                copied.show(texts().copied.to_owned());
            }
        });
    };
    let select = move |_| {
        if let Some(field) = field.get_untracked() {
            field.select();
        }
    };
    // Known once hydrated.
    let no_sheet = RwSignal::new(true);
    effect(move || no_sheet.set(!has_share_sheet()));
    let share = move |_| {
        if let Some(field) = field.get_untracked() {
            open_share_sheet(&field.value());
        }
    };
    let label = move || (!copied.is_shown()).then_some(texts().copy);
    let is_hidden = move || no_sheet.get();
    erase(view! {
        <div class="share-link">
            <input
                node_ref=field
                aria-label=texts().link_to_page
                readonly
                value=format!("{origin}/u/{short_id}")
                on:focus=select
            />
            <img
                class="qr-code"
                src=format!("/u/{short_id}/qr.svg")
                width="120"
                height="120"
                alt=texts().link_as_qr_code
                loading="lazy"
            />
            <div class="share-ways scripted">
                <button
                    class="button primary copy-link"
                    r#type="button"
                    aria-live="polite"
                    on:click=copy
                >
                    {label}
                    {copied.view()}
                </button>
                <button class="button" r#type="button" hidden=is_hidden on:click=share>
                    {texts().share_via}
                </button>
            </div>
        </div>
    })
}

fn has_share_sheet() -> bool {
    Reflect::has(&window().navigator(), &"share".into()).unwrap_or_default()
}

fn open_share_sheet(link: &str) {
    let data = ShareData::new();
    data.set_url(link);
    let shared = window().navigator().share_with_data(&data);
    spawn_local(async move {
        // Fails if the person closes the sheet.
        _ = JsFuture::from(shared).await;
    });
}
