use leptos::prelude::*;

use super::avatar::Avatar;
use super::rows::Row;
use crate::browser::clock::{Day, Zone};
use crate::live::{Delivery, Entry, Live};
use crate::model::{ClientMessageId, Timestamp};

/// One message, with the day and the head line above it where they belong.
#[component]
pub fn MessageItem(
    entry: Entry,
    row: Memo<Row>,
    zone: Memo<Zone>,
    live: Live,
    /// Takes the text of a message that is to be written anew.
    on_edit: Callback<String>,
) -> impl IntoView {
    let Entry {
        key,
        author_name,
        content,
        mine,
        ..
    } = entry;
    let starts_run = Memo::new(move |_| row.read().starts_run);
    let new_day = Memo::new(move |_| row.read().new_day);
    let head = move || {
        starts_run.get().then(|| {
            view! {
                <Avatar name=&author_name/>
                <p class="message-head">
                    <bdi class="author">{author_name.to_string()}</bdi>
                    " "
                    <LocalTime at=Signal::derive(move || row.read().created_at) zone/>
                </p>
            }
        })
    };
    view! {
        {move || new_day.get().map(|day| view! { <DaySeparator day zone/> })}
        <div class="message" class:mine=mine class:starts=starts_run>
            {head}
            <p class="bubble" dir="auto">{content.to_string()}</p>
            {move || delivery_note(row.read().delivery.clone(), key.clone(), live, on_edit)}
        </div>
    }
}

#[component]
fn DaySeparator(day: Day, zone: Memo<Zone>) -> impl IntoView {
    view! { <p class="day"><span>{move || zone.get().day_label(day)}</span></p> }
}

#[component]
fn LocalTime(at: Signal<Timestamp>, zone: Memo<Zone>) -> impl IntoView {
    view! { <time datetime=move || at.get().to_string()>{move || zone.get().time(at.get())}</time> }
}

/// What stands under a message that is not (yet) sent.
fn delivery_note(
    delivery: Delivery,
    key: ClientMessageId,
    live: Live,
    on_edit: Callback<String>,
) -> Option<AnyView> {
    let (reason, retry) = match delivery {
        Delivery::Sent => return None,
        Delivery::Sending => {
            return Some(view! { <p class="delivery">"Sending…"</p> }.into_any());
        }
        Delivery::Failed { reason, retry } => (reason, retry),
    };
    let again = key.clone();
    let edit = move |_| {
        if let Some(text) = live.withdraw(&key) {
            on_edit.run(text.to_string());
        }
    };
    let note = view! {
        <p class="delivery failed">
            <span>"Not sent. " {reason} " "</span>
            {retry.then(|| view! {
                <button class="text-button" r#type="button" on:click=move |_| live.retry(&again)>
                    "Try again"
                </button>
            })}
            <button class="text-button" r#type="button" on:click=edit>"Edit"</button>
        </p>
    };
    Some(note.into_any())
}
