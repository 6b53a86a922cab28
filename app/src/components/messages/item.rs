use leptos::ev::MouseEvent;
use leptos::prelude::*;

use super::chip::chip;
use super::heading::Heading;
use super::text::linked;
use crate::browser::clock::Zone;
use crate::browser::{Hydrated, closest, focus};
use crate::components::avatar::{avatar, display_name};
use crate::components::places::Places;
use crate::live::{Delivery, Live, Row};
use crate::model::{ClientMessageId, Seq};
use crate::texts::{fill, texts};

/// One message, with the day, the head line and the delivery note where there are any.
#[component]
pub fn MessageItem(
    row: Row,
    hydrated: Hydrated,
    live: Live,
    places: Places,
    /// Gets the text of a message that is to be edited.
    on_edit: Callback<String>,
) -> impl IntoView {
    // One closure for all of a row: a change leaves equal elements and texts as they are.
    move || {
        let state = row.state.get();
        let zone = Zone::of(hydrated);
        let heading = Heading::of(&state, zone);
        let entry = state.entry;
        let day = heading
            .new_day
            .map(|day| view! { <p class="day">{zone.day_label(day)}</p> });
        let id = (entry.seq > Seq::ZERO).then(|| format!("m{}", entry.seq));
        let link = id.as_ref().map(|id| format!("#{id}"));
        let is_unsent = link.is_none();
        let avatar = heading
            .starts_run
            .then(|| avatar(&entry.author_name, entry.author.as_ref()));
        let name = heading
            .starts_run
            .then(|| view! { <bdi>{display_name(&entry.author_name).to_owned()}</bdi> });
        let chip = chip(&entry, places);
        let key = row.key.clone();
        let delivery = entry.delivery;
        let note = (delivery != Delivery::Sent)
            .then(|| view! { <DeliveryNote key delivery live places on_edit/> });
        view! {
            {day}
            <div
                class="message"
                id=id
                tabindex="-1"
                class:mine=entry.mine
                class:starts=heading.starts_run
            >
                {avatar}
                <p class="message-head">
                    {name}
                    <a
                        class="permalink"
                        href=link
                        tabindex=hydrated.get().then_some("-1")
                    >
                        <time datetime=entry
                            .created_at
                            .to_string()>{zone.time(entry.created_at)}</time>
                    </a>
                    <button
                        class="copy-message scripted"
                        r#type="button"
                        hidden=is_unsent
                        aria-label=texts().copy_link_to_message
                    >
                        {texts().copy_link}
                    </button>
                </p>
                <p class="bubble" dir="auto">
                    {chip}
                    {linked(entry.content.as_str())}
                </p>
                {note}
            </div>
        }
    }
}

/// The note under a message that is not stored.
#[component]
fn DeliveryNote(
    key: ClientMessageId,
    delivery: Delivery,
    live: Live,
    places: Places,
    on_edit: Callback<String>,
) -> impl IntoView {
    let texts = texts();
    let text = match &delivery {
        Delivery::Failed { reason, .. } => fill(texts.not_sent_because, &[("reason", reason)]),
        Delivery::Waiting { note } => note.clone(),
        Delivery::Sending | Delivery::Sent => texts.sending.to_owned(),
    };
    // A message that may be stored after all can only be posted again, with its own id: an edited one could be there
    // twice.
    let action = match delivery {
        Delivery::Failed { retry: true, .. } => Some(texts.try_again),
        Delivery::Failed { retry: false, .. } => Some(texts.edit),
        Delivery::Sending | Delivery::Waiting { .. } | Delivery::Sent => None,
    };
    let act = move |ev: MouseEvent| {
        if let Some(entry) = live.withdraw(&key) {
            // Not the place of another message, which was tapped since.
            places.chosen.set(entry.at);
            on_edit.run(entry.content.to_string());
        } else {
            // The button disappears with the focus on it.
            if let Some(message) = closest(&ev, ".message") {
                focus(&message);
            }
            live.retry(&key);
        }
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
