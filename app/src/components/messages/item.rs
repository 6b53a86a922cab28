use leptos::ev::MouseEvent;
use leptos::prelude::*;

use super::avatar::{class, initial};
use super::rows::Row;
use crate::browser::Hydrated;
use crate::browser::clock::Zone;
use crate::live::{Delivery, Entry, Live};

/// One message, with the day and the head line above it where they belong. All of it is always in the document, and
/// what does not apply is hidden: a text that changes in place is not read out again.
#[component]
pub fn MessageItem(
    entry: Entry,
    row: Memo<Row>,
    hydrated: Hydrated,
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
    let same_day = move || row.read().new_day.is_none();
    let day = move || {
        let day = row.read().new_day;
        day.map(|day| Zone::of(hydrated).day_label(day))
            .unwrap_or_default()
    };
    let starts = move || row.read().starts_run;
    let datetime = move || row.read().created_at.to_string();
    let time = move || Zone::of(hydrated).time(row.read().created_at);
    let class_name = if mine { "message mine" } else { "message" };
    view! {
        <p class="day" hidden=same_day>
            {day}
        </p>
        <div class=class_name class:starts=starts>
            <span class=class(&author_name) aria-hidden="true">
                {initial(&author_name)}
            </span>
            <p class="message-head">
                <bdi>{author_name.to_string()}</bdi>
                " "
                <time datetime=datetime>{time}</time>
            </p>
            <p class="bubble" dir="auto">
                {content.to_string()}
            </p>
            <DeliveryNote key row live on_edit/>
        </div>
    }
}

/// What stands under a message that is not (yet) sent.
#[component]
fn DeliveryNote(
    key: crate::model::ClientMessageId,
    row: Memo<Row>,
    live: Live,
    on_edit: Callback<String>,
) -> impl IntoView {
    let is_sent = move || row.read().delivery == Delivery::Sent;
    // What may have been stored after all is only sent again, under its own name: rewritten it could be there twice.
    let no_edit = move || !matches!(row.read().delivery, Delivery::Failed { retry: false, .. });
    let no_retry = move || !matches!(row.read().delivery, Delivery::Failed { retry: true, .. });
    let text = move || note(&row.read().delivery);
    let again = key.clone();
    let retry = move |_: MouseEvent| live.retry(&again);
    let edit = move |_: MouseEvent| {
        if let Some(text) = live.withdraw(&key) {
            on_edit.run(text.to_string());
        }
    };
    view! {
        <p class="delivery" role="status" hidden=is_sent>
            {text}
            " "
            <button class="text-button" r#type="button" hidden=no_retry on:click=retry>
                "Try again"
            </button>
            <button class="text-button" r#type="button" hidden=no_edit on:click=edit>
                "Edit"
            </button>
        </p>
    }
}

fn note(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Sent => String::new(),
        Delivery::Sending => "Sending…".to_owned(),
        Delivery::Failed { reason, .. } => format!("Not sent. {reason}"),
    }
}
