//! The pictures that were uploaded in this browser, on the home page. Only the browser knows the list.

pub mod list;

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::Element;

use crate::browser::clock::Zone;
use crate::browser::{closest, focus, take_uploaded};
use crate::components::picture_deletions::{PictureDeletion, PictureDeletions};
use crate::erased::{ErasedFor, effect, erase};
use crate::live::api;
use crate::model::{ShortId, Upload};
use crate::page_data::PageError;
use crate::texts::texts;
use list::OwnPicture;
pub use list::{add, is_owned};

/// Adds an upload that was made by a plain form or the system's share sheet. Only its page learns of it.
pub fn add_from_form(upload: &Upload) {
    if take_uploaded(upload.short_id) {
        add(upload, false);
    }
}

/// The list, newest first; hidden while it is empty. It is filled after hydration, below everything else, so that
/// nothing moves.
#[component]
pub fn OwnPictures() -> impl IntoView {
    let deletions = PictureDeletions::expect();
    let pictures = RwSignal::new(Vec::new());
    effect(move || pictures.set(list::read()));
    let forget = move |short_id| pictures.set(list::forget(short_id));
    keep_focus(deletions);
    // Another page has no notice with Undo.
    on_cleanup(move || deletions.send_all());
    view! {
        <section class="own-pictures" hidden=move || pictures.read().is_empty()>
            <h2>{texts().your_pictures}</h2>
            <p>{texts().your_pictures_hint}</p>
            <ul>
                <ErasedFor
                    each=move || {
                        let is_done = |it: &OwnPicture| {
                            deletions.get(it.short_id) == Some(PictureDeletion::Done)
                        };
                        pictures.get().into_iter().filter(|it| !is_done(it)).collect()
                    }
                    key=|picture| key(picture.short_id)
                    children=move |picture| item(picture, deletions, forget)
                />
            </ul>
        </section>
    }
}

fn item(
    picture: OwnPicture,
    deletions: PictureDeletions,
    forget: impl Fn(ShortId) + Copy + Send + 'static,
) -> impl IntoView {
    let short_id = picture.short_id;
    let is_deleted = Memo::new(move |_| {
        let deletion = deletions.get(short_id);
        deletion.is_some_and(|deletion| deletion.is_shown())
    });
    view! {
        <li data-picture=short_id.to_string()>
            {move || {
                if is_deleted.get() {
                    erase(deleted_item(short_id, deletions))
                } else {
                    erase(shown_item(picture, deletions, forget))
                }
            }}
        </li>
    }
}

/// In the place of a picture that is being deleted.
fn deleted_item(short_id: ShortId, deletions: PictureDeletions) -> impl IntoView {
    let can_undo = move || deletions.get(short_id) == Some(PictureDeletion::Waiting);
    view! {
        <p class="deleted-picture" role="status">{texts().picture_deleted}</p>
        <button
            class="text-button"
            r#type="button"
            hidden=move || !can_undo()
            on:click=move |_| {
                deletions.undo(short_id);
                focus_later(short_id);
            }
        >
            {texts().undo}
        </button>
    }
}

fn shown_item(
    OwnPicture {
        short_id,
        created_at,
        is_owned,
    }: OwnPicture,
    deletions: PictureDeletions,
    forget: impl Fn(ShortId) + Copy + 'static,
) -> impl IntoView {
    let is_gone = RwSignal::new(false);
    let is_whole = RwSignal::new(false);
    let src = move || {
        let width = if is_whole.get() { "" } else { "?w=640" };
        format!("/i/{short_id}{width}")
    };
    let check = move |_| {
        // A busy server may have the image itself, but no smaller picture. Without a connection neither can be loaded.
        if !is_whole.get_untracked() {
            is_whole.set(true);
            return;
        }
        spawn_local(async move {
            let upload = api::get::<Upload>(&format!("/api/uploads/{short_id}")).await;
            let error = upload.err().map(PageError::from);
            // The list may have been left.
            is_gone.try_set(error.is_some_and(|error| error != PageError::Unavailable));
        });
    };
    let zone = Zone::Local;
    let day = zone.day_label(zone.day(created_at));
    let time = [day, zone.time(created_at)].join(", ");
    let label = move || {
        if is_gone.get() {
            texts().no_longer_there.to_owned()
        } else {
            time.clone()
        }
    };
    let failure = move || match deletions.get(short_id) {
        Some(PictureDeletion::Failed(reason)) => Some(reason),
        _ => None,
    };
    let delete_label = move || match failure() {
        Some(_) => texts().try_again,
        None => texts().delete_picture,
    };
    let delete = move |_| {
        deletions.delete(short_id);
        focus_later(short_id);
    };
    view! {
        <a href=format!("/u/{short_id}") class:gone=move || is_gone.get()>
            <img
                src=src
                width="160"
                height="120"
                alt=texts().your_picture
                loading="lazy"
                decoding="async"
                on:error=check
            />
            <span>{label}</span>
        </a>
        <button
            class="remove"
            r#type="button"
            title=texts().remove_from_list
            aria-label=texts().remove_from_list
            on:click=move |ev| {
                if let Some(item) = closest(&ev, "li") {
                    focus_neighbour(&item);
                }
                forget(short_id);
            }
        ></button>
        {move || {
            failure()
                .map(|reason| view! { <p class="not-deleted" role="alert">{reason}</p> })
        }}
        <button
            class="text-button"
            r#type="button"
            hidden=move || !is_owned || is_gone.get()
            on:click=delete
        >
            {delete_label}
        </button>
    }
}

/// Moves the focus on when a deletion can no longer be undone, and its button goes.
fn keep_focus(deletions: PictureDeletions) {
    effect(move || {
        let Some(short_id) = deletions.closing.get() else {
            return;
        };
        let item = find(short_id);
        let focused = document().active_element();
        if let Some(item) = item.filter(|item| item.contains(focused.as_deref())) {
            focus_neighbour(&item);
        }
    });
}

/// Focuses the button that deletes a picture or undoes that, once it is shown.
fn focus_later(short_id: ShortId) {
    request_animation_frame(move || {
        let item = find(short_id);
        let button = item.and_then(|item| item.query_selector(".text-button").ok()?);
        if let Some(button) = button {
            focus(button.unchecked_ref());
        }
    });
}

fn find(short_id: ShortId) -> Option<Element> {
    let selector = format!("[data-picture=\"{short_id}\"]");
    document().query_selector(&selector).ok()?
}

/// Moves the focus from an item that is about to disappear to a button of the next or previous one, or else to the
/// page.
fn focus_neighbour(item: &Element) {
    let next = item.next_element_sibling();
    let neighbour = next.or_else(|| item.previous_element_sibling());
    let next = match neighbour {
        Some(item) => item.query_selector("button"),
        None => document().query_selector("main"),
    };
    if let Ok(Some(next)) = next {
        focus(next.unchecked_ref());
    }
}

/// Its eight bytes as a number.
fn key(short_id: ShortId) -> u64 {
    let bytes = short_id.as_str().bytes();
    bytes.fold(0, |key, byte| key << 8 | u64::from(byte))
}
