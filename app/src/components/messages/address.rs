//! Addresses of single messages: with `#m7` the page leads to message 7.

use std::time::Duration;

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_location;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::browser::{clipboard, focus, target};
use crate::components::announcement::Note;
use crate::components::places::Places;
use crate::erased::effect;
use crate::live::{Connection, Live, OlderMessages};
use crate::model::Seq;
use crate::texts::{fill, texts};

/// How often older messages are loaded for one address: 2,000 messages. The reader can load more.
const MAX_LOADS: u32 = 40;
/// How long a note over the messages is shown.
pub const NOTE_DURATION: Duration = Duration::from_secs(5);

/// What to do for the message of an address.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Show,
    LoadOlder,
    Wait,
    Missing,
}

/// `listed` are the numbers of the first listed message and of the one after the last.
fn step(seq: Seq, listed: (Seq, Seq), older: OlderMessages, connection: Connection) -> Step {
    let is_live = matches!(connection, Connection::Live | Connection::CaughtUp { .. });
    if seq >= listed.1 {
        if is_live { Step::Missing } else { Step::Wait }
    } else if seq >= listed.0 {
        Step::Show
    } else if older == OlderMessages::More {
        Step::LoadOlder
    } else {
        Step::Wait
    }
}

/// The number in `#m7`.
fn seq_of(hash: &str) -> Option<Seq> {
    let number = hash.strip_prefix("#m")?.parse().ok()?;
    (number > 0).then_some(Seq::new(number))
}

/// Shows the message that the address names, now and whenever another one is named. Older messages are loaded until it
/// is listed.
pub fn follow_address(live: Live, places: Places, note: Note) {
    let hash = use_location().hash;
    // On the way back the page is shown as it was left.
    let is_returning = live.was_entered();
    let mut before = None;
    let mut wanted = None;
    let mut loads = 0;
    effect(move || {
        let hash = hash.get();
        live.messages.newest.track();
        let (older, connection) = (live.older.get(), live.connection.get());
        if before.as_ref() != Some(&hash) {
            let is_first = before.is_none();
            wanted = seq_of(&hash).filter(|_| !(is_first && is_returning));
            before = Some(hash);
            loads = 0;
        }
        let Some(seq) = wanted else { return };
        match step(seq, live.messages.range(), older, connection) {
            Step::Wait => return,
            Step::LoadOlder if loads < MAX_LOADS => {
                loads += 1;
                live.load_older();
                return;
            }
            Step::LoadOlder => note.show(about(texts().message_further_back, seq)),
            Step::Missing => note.show(about(texts().no_message, seq)),
            // Its element is made by another effect.
            Step::Show => request_animation_frame(move || show(seq, live, places)),
        }
        wanted = None;
    });
}

fn about(text: &str, seq: Seq) -> String {
    fill(text, &[("number", &seq.to_string())])
}

fn show(seq: Seq, live: Live, places: Places) {
    let pin = live.messages.pins.try_with_untracked(|pins| {
        let pin = pins.iter().find(|pin| pin.seq == seq)?;
        Some((pin.number, pin.at))
    });
    if let Some((number, at)) = pin.flatten() {
        places.reveal(at);
        highlight(&format!("pin{number}"));
    }
    if let Some(message) = highlight(&format!("m{seq}")) {
        focus(&message);
    }
}

fn highlight(id: &str) -> Option<HtmlElement> {
    let element: HtmlElement = document().get_element_by_id(id)?.dyn_into().ok()?;
    let classes = element.class_list();
    // Fail only for names with spaces. The animation starts again once the element was laid out without it.
    _ = classes.remove_1("found");
    _ = element.offset_width();
    _ = classes.add_1("found");
    Some(element)
}

/// Copies the link to a message if the click is on its button for that.
pub fn copy_link(ev: &MouseEvent, note: Note) {
    let Some(message) = clicked_message(ev) else {
        return;
    };
    let Ok(page) = window().location().href() else {
        return;
    };
    let page = page.split('#').next().unwrap_or_default();
    let link = [page, "#", &message].concat();
    spawn_local(async move {
        note.show(if clipboard::copy_text(&link).await {
            texts().link_copied.to_owned()
        } else {
            fill(texts().link_to_message, &[("link", &link)])
        });
    });
}

/// The id of the message whose button for copying was clicked.
fn clicked_message(ev: &MouseEvent) -> Option<String> {
    let button = target(ev)?.closest(".copy-message").ok()??;
    Some(button.closest(".message").ok()??.id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_message_by_its_number() {
        assert_eq!(seq_of("#m7"), Some(Seq::new(7)));
        for other in ["", "#", "#m", "#m0", "#m-1", "#m7x", "#main", "m7", "#pin7"] {
            assert_eq!(seq_of(other), None, "{other}");
        }
    }

    #[test]
    fn older_messages_are_loaded_until_the_message_is_listed() {
        let step = |seq, older| {
            let listed = (Seq::new(51), Seq::new(101));
            step(Seq::new(seq), listed, older, Connection::Live)
        };
        assert_eq!(step(51, OlderMessages::More), Step::Show);
        assert_eq!(step(100, OlderMessages::More), Step::Show);
        assert_eq!(step(50, OlderMessages::More), Step::LoadOlder);
        assert_eq!(step(50, OlderMessages::Loading), Step::Wait);
        // The reader may try again.
        assert_eq!(step(50, OlderMessages::Failed), Step::Wait);
    }

    #[test]
    fn whether_a_later_message_exists_is_known_once_the_page_is_live() {
        let step = |connection| {
            let listed = (Seq::new(1), Seq::new(4));
            step(Seq::new(4), listed, OlderMessages::Complete, connection)
        };
        assert_eq!(step(Connection::Connecting), Step::Wait);
        assert_eq!(step(Connection::Reconnecting), Step::Wait);
        assert_eq!(step(Connection::Live), Step::Missing);
        assert_eq!(step(Connection::CaughtUp { missed: 2 }), Step::Missing);
    }
}
