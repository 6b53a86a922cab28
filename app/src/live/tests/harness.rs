//! Short functions that give a machine inputs.

use super::super::connection::ConnectionEvent;
use super::super::effect::Timer;
use super::super::effect::{Effect, Now};
use super::super::machine::{Input, Machine};
use super::super::{Connection, Delivery, ListedMessage};
use super::fixture::{key, me, page, stored, unsent, upload_id};
use crate::event::ServerEvent;
use crate::model::{LogPage, Message, NewMessage, Seq};

const NOW: Now = Now {
    millis: 1_000_000,
    random: 0.5,
};

pub(super) fn machine(page: LogPage) -> Machine {
    Machine::new(upload_id(), page, "me".parse().unwrap(), me())
}

/// Gives an input and returns the effects.
pub(super) fn give(machine: &mut Machine, input: Input) -> Vec<Effect> {
    machine.handle(input, NOW);
    machine.take_effects()
}

pub(super) fn connection(machine: &mut Machine, event: ConnectionEvent) -> Vec<Effect> {
    give(machine, Input::Connection(event))
}

pub(super) fn frame(machine: &mut Machine, event: ServerEvent) -> Vec<Effect> {
    give(machine, Input::Frame(Some(event)))
}

pub(super) fn watched(head: u64) -> ServerEvent {
    ServerEvent::Watched {
        upload_id: upload_id(),
        head: Seq::new(head),
        entries: Vec::new(),
        reset: false,
    }
}

pub(super) fn posted(message: Message) -> ServerEvent {
    ServerEvent::MessagePosted {
        upload_id: upload_id(),
        message,
    }
}

pub(super) fn connect(machine: &mut Machine, head: u64) -> Vec<Effect> {
    connection(machine, ConnectionEvent::Mounted);
    connection(machine, ConnectionEvent::Opened);
    frame(machine, watched(head))
}

pub(super) fn reconnect(machine: &mut Machine, head: u64) -> Vec<Effect> {
    connection(machine, ConnectionEvent::Closed(1006));
    assert_eq!(machine.connection(), Connection::Reconnecting);
    give(machine, Input::Timer(Timer::Reconnect));
    connection(machine, ConnectionEvent::Opened);
    frame(machine, watched(head))
}

/// Live, with messages 1 to 3.
pub(super) fn live() -> Machine {
    let mut machine = machine(page(1..=3, 3));
    connect(&mut machine, 3);
    assert_eq!(machine.connection(), Connection::Live);
    machine
}

/// The listed messages, stored and unsent.
pub(super) fn entries(machine: &Machine) -> Vec<ListedMessage> {
    let stored = machine.listed().1.iter();
    let stored = stored.filter_map(|it| it.message.as_ref());
    stored.chain(machine.unsent()).cloned().collect()
}

pub(super) fn texts(machine: &Machine) -> Vec<String> {
    entries(machine)
        .iter()
        .map(|entry| entry.content.to_string())
        .collect()
}

pub(super) fn send(machine: &mut Machine, name: &str) -> Vec<Effect> {
    assert!(machine.send(unsent(name)));
    machine.take_effects()
}

pub(super) fn own(name: &str, seq: u64) -> Message {
    let entry = unsent(name);
    let new = NewMessage {
        author_name: entry.author_name,
        content: entry.content,
        client_message_id: entry.key,
        at: entry.at,
        author: entry.author,
    };
    stored(new, seq)
}

pub(super) fn posts<'a>(effects: &'a [Effect]) -> Vec<&'a str> {
    let post = |effect: &'a Effect| match effect {
        Effect::Post(new) => Some(new.client_message_id.as_str()),
        _ => None,
    };
    effects.iter().filter_map(post).collect()
}

pub(super) fn delivery(machine: &Machine, name: &str) -> Delivery {
    let entries = entries(machine);
    let mut found = entries.iter().filter(|entry| entry.key == key(name));
    let entry = found.next().expect("it is listed");
    assert!(found.next().is_none(), "it is listed once");
    assert!(entry.mine);
    entry.delivery.clone()
}
