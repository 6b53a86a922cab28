use leptos::prelude::*;

use super::avatar::{class, initial};
use super::heading::Heading;
use crate::browser::Hydrated;
use crate::browser::clock::Zone;
use crate::live::{Delivery, Live, Row};
use crate::model::ClientMessageId;

/// One message, with the day, the head line and the delivery note where there are any.
#[component]
pub fn MessageItem(
    row: Row,
    hydrated: Hydrated,
    live: Live,
    /// Gets the text of a message that is to be edited.
    on_edit: Callback<String>,
) -> impl IntoView {
    let Row { key, state } = row;
    let entry = state.read_untracked().entry.clone();
    let author_name = entry.author_name;
    let state = RwSignal::from(state);
    let heading = Memo::new(move |_| Heading::of(&state.read(), Zone::of(hydrated)));
    let day = move || {
        let day = heading.get().new_day?;
        Some(view! { <p class="day">{Zone::of(hydrated).day_label(day)}</p> })
    };
    let starts_run = move || heading.get().starts_run;
    let created_at = move || state.read().entry.created_at;
    let head = move || {
        starts_run().then(|| {
            view! {
                <span class=class(&author_name) aria-hidden="true">
                    {initial(&author_name)}
                </span>
                <p class="message-head">
                    <bdi>{author_name.to_string()}</bdi>
                    " "
                    <time datetime=move || {
                        created_at().to_string()
                    }>{move || Zone::of(hydrated).time(created_at())}</time>
                </p>
            }
        })
    };
    let is_mine = move || state.read().entry.mine;
    let note = move || {
        let delivery = state.read().entry.delivery.clone();
        let key = key.clone();
        (delivery != Delivery::Sent).then(|| view! { <DeliveryNote key delivery live on_edit/> })
    };
    view! {
        {day}
        <div class="message" class:mine=is_mine class:starts=starts_run>
            {head}
            <p class="bubble" dir="auto">
                {entry.content.to_string()}
            </p>
            {note}
        </div>
    }
}

/// What stands under a message that is not stored.
#[component]
fn DeliveryNote(
    key: ClientMessageId,
    delivery: Delivery,
    live: Live,
    on_edit: Callback<String>,
) -> impl IntoView {
    let text = match &delivery {
        Delivery::Failed { reason, .. } => format!("Not sent. {reason}"),
        Delivery::Sending | Delivery::Sent => "Sending…".to_owned(),
    };
    // A message that may be stored after all can only be posted again, with its own id: an edited one could be there
    // twice.
    let action = match delivery {
        Delivery::Failed { retry: true, .. } => Some("Try again"),
        Delivery::Failed { retry: false, .. } => Some("Edit"),
        Delivery::Sending | Delivery::Sent => None,
    };
    let act = move |_| match live.withdraw(&key) {
        Some(text) => on_edit.run(text.to_string()),
        None => live.retry(&key),
    };
    view! {
        <p class="delivery" role="status">
            {text}
            {action
                .map(|label| {
                    view! {
                        " "
                        <button class="text-button" r#type="button" on:click=act>
                            {label}
                        </button>
                    }
                })}
        </p>
    }
}
