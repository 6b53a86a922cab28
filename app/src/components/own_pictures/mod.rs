//! The pictures that were uploaded in this browser, on the home page. Only the browser knows the list.

mod list;

use leptos::ev::Event;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;

use crate::browser::clock::Zone;
use crate::browser::{closest, focus, take_uploaded};
use crate::erased::{ErasedFor, effect};
use crate::live::api;
use crate::model::{ShortId, Upload};
use crate::page_data::PageError;
use crate::texts::texts;
use list::OwnPicture;
pub use list::add;

/// Adds an upload that was made by a plain form or the system's share sheet. Only its page learns of it.
pub fn add_from_form(upload: &Upload) {
    if take_uploaded(upload.short_id) {
        add(upload);
    }
}

/// The list, newest first; hidden while it is empty. It is filled after hydration, below everything else, so that
/// nothing moves.
#[component]
pub fn OwnPictures() -> impl IntoView {
    let pictures = RwSignal::new(Vec::new());
    effect(move || pictures.set(list::read()));
    let forget = move |short_id| pictures.set(list::forget(short_id));
    view! {
        <section class="own-pictures" hidden=move || pictures.read().is_empty()>
            <h2>{texts().your_pictures}</h2>
            <p>{texts().your_pictures_hint}</p>
            <ul>
                <ErasedFor
                    each=move || pictures.get()
                    key=|picture| key(picture.short_id)
                    children=move |picture| item(picture, forget)
                />
            </ul>
        </section>
    }
}

fn item(
    OwnPicture {
        short_id,
        created_at,
    }: OwnPicture,
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
            is_gone.set(error.is_some_and(|error| error != PageError::Unavailable));
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
    view! {
        <li class:gone=move || is_gone.get()>
            <a href=format!("/u/{short_id}")>
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
                r#type="button"
                title=texts().remove_from_list
                aria-label=texts().remove_from_list
                on:click=move |ev| {
                    focus_neighbour(&ev);
                    forget(short_id);
                }
            ></button>
        </li>
    }
}

/// Moves the focus from the button for one picture, which is about to disappear, to that for the next or previous one, or
/// else to the page.
fn focus_neighbour(ev: &Event) {
    let item = closest(ev, "li");
    let neighbour = item.and_then(|item| {
        let next = item.next_element_sibling();
        next.or_else(|| item.previous_element_sibling())
    });
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
