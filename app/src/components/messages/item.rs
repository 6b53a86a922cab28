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
    /// Whether this browser has shared the image, and may delete all messages.
    is_owner: ReadSignal<bool>,
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
        let is_deleted = matches!(entry.delivery, Delivery::Deleted { .. });
        let delete = (!is_unsent && (entry.mine || is_owner.get())).then(|| {
            view! {
                <button
                    class="delete-message scripted"
                    r#type="button"
                    aria-label=texts().delete_message
                >
                    {texts().delete}
                </button>
            }
        });
        let avatar = heading
            .starts_run
            .then(|| avatar(&entry.author_name, entry.author.as_ref()));
        let name = heading
            .starts_run
            .then(|| view! { <bdi>{display_name(&entry.author_name).to_owned()}</bdi> });
        let chip = chip(&entry, places);
        let (key, seq) = (row.key.clone(), entry.seq);
        let delivery = entry.delivery;
        let note = (delivery != Delivery::Sent)
            .then(|| view! { <DeliveryNote key seq delivery live places on_edit/> });
        view! {
            {day}
            <div
                class="message"
                id=id
                tabindex="-1"
                class:mine=entry.mine
                class:deleted=is_deleted
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
                    <span class="message-actions">
                        <button
                            class="copy-message scripted"
                            r#type="button"
                            hidden=is_unsent
                            aria-label=texts().copy_link_to_message
                        >
                            {texts().copy_link}
                        </button>
                        {delete}
                    </span>
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

/// The note under a message that is not stored, or in the place of one that is being deleted.
#[component]
fn DeliveryNote(
    key: ClientMessageId,
    seq: Seq,
    delivery: Delivery,
    live: Live,
    places: Places,
    on_edit: Callback<String>,
) -> impl IntoView {
    let texts = texts();
    let text = match &delivery {
        Delivery::Failed { reason, .. } => fill(texts.not_sent_because, &[("reason", reason)]),
        Delivery::Waiting { note } => note.clone(),
        Delivery::Deleted { .. } => texts.message_deleted.to_owned(),
        Delivery::NotDeleted { reason } => fill(texts.not_deleted_because, &[("reason", reason)]),
        Delivery::Sending | Delivery::Sent => texts.sending.to_owned(),
    };
    // A message that may be stored after all can only be posted again, with its own id: an edited one could be there
    // twice.
    let action = match delivery {
        Delivery::Failed { retry: true, .. } | Delivery::NotDeleted { .. } => Some(texts.try_again),
        Delivery::Failed { retry: false, .. } => Some(texts.edit),
        Delivery::Deleted { undo: true } => Some(texts.undo),
        Delivery::Deleted { undo: false }
        | Delivery::Sending
        | Delivery::Waiting { .. }
        | Delivery::Sent => None,
    };
    let is_deleted = matches!(delivery, Delivery::Deleted { .. });
    // The list announces a deletion itself.
    let role = (!is_deleted).then_some("status");
    let separator = if is_deleted { " · " } else { " " };
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
            match delivery {
                Delivery::Deleted { .. } => live.undo_delete(seq),
                Delivery::NotDeleted { .. } => live.delete(seq),
                _ => live.retry(&key),
            }
        }
    };
    view! {
        <p class="delivery" role=role>
            {text}
            {action
                .map(|label| {
                    view! {
                        {separator}
                        <button class="text-button" r#type="button" on:click=act>
                            {label}
                        </button>
                    }
                })}
        </p>
    }
}
