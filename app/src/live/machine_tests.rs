use super::effect::{Effect, Now, Timer};
use super::failure::ApiFailure;
use super::fixture::{key, message, page, stored, unsent, upload_id};
use super::line::LineEvent;
use super::machine::{Input, Machine};
use super::{Connection, Delivery, History};
use crate::event::{ClientCommand, ServerEvent};
use crate::model::{Message, MessagePage, NewMessage, Point, Seq, TouchPoint, UploadId};

const NOW: Now = Now {
    millis: 1_000_000,
    random: 0.5,
};

fn machine(page: MessagePage) -> Machine {
    Machine::new(upload_id(), page, "me".parse().unwrap())
}

/// Gives an input and answers with what is to be done.
fn give(machine: &mut Machine, input: Input) -> Vec<Effect> {
    machine.handle(input, NOW);
    machine.take_effects()
}

fn line(machine: &mut Machine, event: LineEvent) -> Vec<Effect> {
    give(machine, Input::Line(event))
}

fn frame(machine: &mut Machine, event: ServerEvent) -> Vec<Effect> {
    give(machine, Input::Frame(Some(event)))
}

fn watched(head: u64) -> ServerEvent {
    ServerEvent::Watched {
        upload_id: upload_id(),
        head: Seq::new(head),
        messages: Vec::new(),
    }
}

fn posted(message: Message) -> ServerEvent {
    ServerEvent::MessagePosted {
        upload_id: upload_id(),
        message,
    }
}

fn connect(machine: &mut Machine, head: u64) -> Vec<Effect> {
    line(machine, LineEvent::Start);
    line(machine, LineEvent::Opened);
    frame(machine, watched(head))
}

fn reconnect(machine: &mut Machine, head: u64) -> Vec<Effect> {
    line(machine, LineEvent::Closed(1006));
    assert_eq!(machine.connection(), Connection::Reconnecting);
    line(machine, LineEvent::Timer(Timer::Reconnect));
    line(machine, LineEvent::Opened);
    frame(machine, watched(head))
}

/// Live, with messages 1 to 3.
fn live() -> Machine {
    let mut machine = machine(page(1..=3, 3));
    connect(&mut machine, 3);
    assert_eq!(machine.connection(), Connection::Live);
    machine
}

fn texts(machine: &Machine) -> Vec<String> {
    machine
        .entries()
        .iter()
        .map(|entry| entry.content.to_string())
        .collect()
}

fn send(machine: &mut Machine, name: &str) -> Vec<Effect> {
    assert!(machine.send(unsent(name)));
    machine.take_effects()
}

fn own(name: &str, seq: u64) -> Message {
    let entry = unsent(name);
    let new = NewMessage {
        author_name: entry.author_name,
        content: entry.content,
        client_message_id: entry.key,
    };
    stored(new, seq)
}

fn posts(effects: &[Effect]) -> Vec<&str> {
    let post = |effect| match effect {
        Effect::Post(new) => Some(new.client_message_id.as_str()),
        _ => None,
    };
    effects.iter().filter_map(post).collect()
}

fn delivery(machine: &Machine, name: &str) -> Delivery {
    let entries = machine.entries();
    let mut found = entries.iter().filter(|entry| entry.key == key(name));
    let entry = found.next().expect("it is listed");
    assert!(found.next().is_none(), "it is listed once");
    assert!(entry.mine);
    entry.delivery.clone()
}

#[test]
fn a_posted_message_is_listed_without_a_fetch() {
    let mut machine = live();
    assert_eq!(frame(&mut machine, posted(message(4))), []);
    assert_eq!(texts(&machine).last().unwrap(), "text 4");
    assert_eq!(machine.take_changes(), (true, false));
}

#[test]
fn a_jump_fetches_what_is_missing_once() {
    let mut machine = live();
    assert_eq!(
        frame(&mut machine, posted(message(6))),
        [Effect::FetchAfter(Seq::new(3))]
    );
    assert_eq!(frame(&mut machine, posted(message(7))), []);
    assert_eq!(texts(&machine).len(), 3, "never a hole");
    assert_eq!(give(&mut machine, Input::Fetched(Ok(page(4..=6, 6)))), []);
    assert_eq!(texts(&machine).len(), 7);
}

#[test]
fn the_beacon_shows_a_lost_tail() {
    let mut machine = live();
    let beacon = |head| ServerEvent::HeadAdvanced {
        upload_id: upload_id(),
        head: Seq::new(head),
    };
    assert_eq!(frame(&mut machine, beacon(3)), []);
    assert_eq!(
        frame(&mut machine, beacon(5)),
        [Effect::FetchAfter(Seq::new(3))]
    );
}

#[test]
fn pages_are_fetched_until_the_conversation_is_whole() {
    let mut machine = live();
    let effects = reconnect(&mut machine, 500);
    assert!(effects.contains(&Effect::FetchAfter(Seq::new(3))));
    assert_eq!(machine.connection(), Connection::Reconnecting);
    let effects = give(&mut machine, Input::Fetched(Ok(page(4..=203, 500))));
    assert_eq!(effects, [Effect::FetchAfter(Seq::new(203))]);
    give(&mut machine, Input::Fetched(Ok(page(204..=403, 500))));
    give(&mut machine, Input::Fetched(Ok(page(404..=500, 500))));
    assert_eq!(machine.connection(), Connection::CaughtUp { missed: 497 });
    line(&mut machine, LineEvent::Timer(Timer::Settle));
    assert_eq!(machine.connection(), Connection::Live);
}

#[test]
fn what_the_node_has_at_hand_needs_no_fetch() {
    let mut machine = live();
    line(&mut machine, LineEvent::Closed(1006));
    line(&mut machine, LineEvent::Timer(Timer::Reconnect));
    line(&mut machine, LineEvent::Opened);
    let event = ServerEvent::Watched {
        upload_id: upload_id(),
        head: Seq::new(5),
        messages: vec![message(4), message(5)],
    };
    let effects = frame(&mut machine, event);
    assert!(!effects.iter().any(|it| matches!(it, Effect::FetchAfter(_))));
    assert_eq!(machine.connection(), Connection::CaughtUp { missed: 2 });
}

#[test]
fn when_nothing_was_missed_it_is_simply_live_again() {
    let mut machine = live();
    reconnect(&mut machine, 3);
    assert_eq!(machine.connection(), Connection::Live);
}

#[test]
fn ones_own_messages_are_not_missed() {
    let mut machine = live();
    send(&mut machine, "a");
    reconnect(&mut machine, 4);
    give(
        &mut machine,
        Input::Fetched(Ok(MessagePage {
            messages: vec![own("a", 4)],
            head: Seq::new(4),
        })),
    );
    assert_eq!(machine.connection(), Connection::Live);
    assert_eq!(delivery(&machine, "a"), Delivery::Sent);
}

#[test]
fn a_failed_fetch_is_tried_again_after_a_rest() {
    let mut machine = live();
    frame(&mut machine, posted(message(5)));
    let effects = give(&mut machine, Input::Fetched(Err(ApiFailure::Unreachable)));
    assert_eq!(effects, [Effect::Start(Timer::Refetch, 250)]);
    assert_eq!(frame(&mut machine, posted(message(6))), []);
    let effects = line(&mut machine, LineEvent::Timer(Timer::Refetch));
    assert_eq!(effects, [Effect::FetchAfter(Seq::new(3))]);
}

#[test]
fn a_fetch_that_brings_nothing_does_not_spin() {
    let mut machine = live();
    frame(&mut machine, posted(message(5)));
    let effects = give(&mut machine, Input::Fetched(Ok(MessagePage::default())));
    assert_eq!(effects, [Effect::Start(Timer::Refetch, 250)]);
}

#[test]
fn events_of_other_uploads_and_later_versions_are_ignored() {
    let mut machine = live();
    let other = UploadId::from_bytes([8; 12]);
    frame(
        &mut machine,
        ServerEvent::MessagePosted {
            upload_id: other,
            message: message(4),
        },
    );
    frame(
        &mut machine,
        ServerEvent::HeadAdvanced {
            upload_id: other,
            head: Seq::new(9),
        },
    );
    assert_eq!(give(&mut machine, Input::Frame(None)), []);
    assert_eq!(texts(&machine).len(), 3);
}

#[test]
fn a_message_is_sending_at_once_and_sent_when_answered() {
    let mut machine = live();
    let effects = send(&mut machine, "a");
    assert_eq!(posts(&effects), ["a"]);
    assert!(effects.contains(&Effect::Remember("a".into())));
    assert_eq!(delivery(&machine, "a"), Delivery::Sending);
    give(&mut machine, Input::Answered(key("a"), Ok(own("a", 4))));
    assert_eq!(delivery(&machine, "a"), Delivery::Sent);
    frame(&mut machine, posted(own("a", 4)));
    assert_eq!(texts(&machine).len(), 4);
}

#[test]
fn an_echo_before_the_answer_makes_no_duplicate() {
    let mut machine = live();
    send(&mut machine, "a");
    frame(&mut machine, posted(own("a", 4)));
    assert_eq!(delivery(&machine, "a"), Delivery::Sent);
    give(&mut machine, Input::Answered(key("a"), Ok(own("a", 4))));
    assert_eq!(texts(&machine).len(), 4);
}

#[test]
fn a_sent_message_behind_a_hole_stays_listed_last_until_the_hole_is_filled() {
    let mut machine = live();
    send(&mut machine, "a");
    let effects = give(&mut machine, Input::Answered(key("a"), Ok(own("a", 6))));
    assert_eq!(effects, [Effect::FetchAfter(Seq::new(3))]);
    assert_eq!(delivery(&machine, "a"), Delivery::Sent);
    give(&mut machine, Input::Fetched(Ok(page(4..=5, 6))));
    assert_eq!(delivery(&machine, "a"), Delivery::Sent);
    assert_eq!(texts(&machine)[3..], ["text 4", "text 5", "text of a"]);
}

#[test]
fn a_message_that_timed_out_but_was_stored_turns_to_sent_when_it_shows_up() {
    let mut machine = live();
    send(&mut machine, "a");
    give(
        &mut machine,
        Input::Answered(key("a"), Err(ApiFailure::TimedOut)),
    );
    assert!(matches!(
        delivery(&machine, "a"),
        Delivery::Failed { retry: true, .. }
    ));
    frame(&mut machine, posted(own("a", 4)));
    assert_eq!(delivery(&machine, "a"), Delivery::Sent);
    assert_eq!(texts(&machine).len(), 4);
}

#[test]
fn a_retry_posts_the_same_name() {
    let mut machine = live();
    send(&mut machine, "a");
    give(
        &mut machine,
        Input::Answered(key("a"), Err(ApiFailure::Unexplained(503))),
    );
    let effects = give(&mut machine, Input::Retry(key("a")));
    assert_eq!(posts(&effects), ["a"]);
    assert_eq!(delivery(&machine, "a"), Delivery::Sending);
}

#[test]
fn a_failure_for_good_gives_its_text_back() {
    let mut machine = live();
    send(&mut machine, "a");
    give(
        &mut machine,
        Input::Answered(key("a"), Err(ApiFailure::Unexplained(422))),
    );
    assert!(matches!(
        delivery(&machine, "a"),
        Delivery::Failed { retry: false, .. }
    ));
    assert_eq!(machine.withdraw(&key("a")).unwrap().as_str(), "text of a");
    assert_eq!(texts(&machine).len(), 3);
}

#[test]
fn the_next_message_is_posted_when_the_one_before_is_answered() {
    let mut machine = live();
    send(&mut machine, "a");
    assert_eq!(posts(&send(&mut machine, "b")), Vec::<&str>::new());
    let effects = give(
        &mut machine,
        Input::Answered(key("a"), Err(ApiFailure::Unreachable)),
    );
    assert_eq!(posts(&effects), ["b"]);
}

#[test]
fn messages_from_before_a_reload_are_ones_own() {
    let mut machine = machine(MessagePage {
        messages: vec![own("a", 1)],
        head: Seq::new(1),
    });
    assert!(
        !machine.entries()[0].mine,
        "the first render knows nothing of this tab"
    );
    give(&mut machine, Input::KnowOwn(vec![key("a")]));
    assert!(machine.entries()[0].mine);
}

#[test]
fn older_messages_are_loaded_before_the_first() {
    let mut machine = machine(page(101..=150, 150));
    assert_eq!(machine.history(), History::More);
    assert_eq!(
        give(&mut machine, Input::LoadOlder),
        [Effect::FetchBefore(Seq::new(101))]
    );
    assert_eq!(machine.history(), History::Loading);
    assert_eq!(give(&mut machine, Input::LoadOlder), []);
    give(
        &mut machine,
        Input::FetchedOlder(Err(ApiFailure::Unreachable)),
    );
    assert_eq!(machine.history(), History::Failed);
    assert_eq!(
        give(&mut machine, Input::LoadOlder),
        [Effect::FetchBefore(Seq::new(101))]
    );
    give(&mut machine, Input::FetchedOlder(Ok(page(51..=100, 150))));
    assert_eq!(machine.history(), History::More);
    give(&mut machine, Input::LoadOlder);
    give(&mut machine, Input::FetchedOlder(Ok(page(1..=50, 150))));
    assert_eq!(machine.history(), History::Complete);
    assert_eq!(give(&mut machine, Input::LoadOlder), []);
    assert_eq!(texts(&machine).len(), 150);
}

fn tap(machine: &mut Machine) -> Vec<Effect> {
    give(machine, Input::Tap(Point::new(0.123_456, 0.5).unwrap()))
}

#[test]
fn a_tap_is_drawn_and_told() {
    let mut machine = live();
    let told = Effect::Tell(ClientCommand::Touch {
        upload_id: upload_id().to_string().parse().unwrap(),
        at: Point::new(0.1235, 0.5).unwrap(),
        tab: "me".parse().unwrap(),
    });
    assert_eq!(tap(&mut machine), [told]);
    assert_eq!(machine.ripples().len(), 1);
    let id = machine.ripples()[0].id;
    give(&mut machine, Input::FinishRipple(id));
    assert_eq!(machine.ripples().len(), 0);
}

#[test]
fn without_a_line_a_tap_is_drawn_only() {
    let mut machine = machine(page(1..=3, 3));
    assert_eq!(tap(&mut machine), []);
    assert_eq!(machine.ripples().len(), 1);
}

#[test]
fn the_taps_of_others_are_drawn_while_the_tab_is_in_view() {
    let mut machine = live();
    let touched = || ServerEvent::Touched {
        upload_id: upload_id(),
        points: ["me", "you"]
            .map(|tab| TouchPoint {
                at: Point::new(0.5, 0.5).unwrap(),
                tab: tab.parse().unwrap(),
            })
            .into(),
    };
    frame(&mut machine, touched());
    assert_eq!(machine.ripples().len(), 1);
    line(&mut machine, LineEvent::Hidden);
    frame(&mut machine, touched());
    assert_eq!(machine.ripples().len(), 1);
}

#[test]
fn offline_and_back_tells_how_many_were_missed() {
    let mut machine = live();
    line(&mut machine, LineEvent::Offline);
    assert_eq!(machine.connection(), Connection::Offline);
    line(&mut machine, LineEvent::Online);
    line(&mut machine, LineEvent::Opened);
    frame(&mut machine, watched(8));
    give(&mut machine, Input::Fetched(Ok(page(4..=8, 8))));
    assert_eq!(machine.connection(), Connection::CaughtUp { missed: 5 });
    reconnect(&mut machine, 8);
    assert_eq!(
        machine.connection(),
        Connection::Live,
        "each gap counts for itself"
    );
}

#[test]
fn without_a_socket_messages_are_polled_for() {
    let mut machine = live();
    let mut started = 0;
    for _ in 0..6 {
        let effects = line(&mut machine, LineEvent::Closed(1006));
        started += effects
            .iter()
            .filter(|it| matches!(it, Effect::Start(Timer::Poll, _)))
            .count();
        line(&mut machine, LineEvent::Timer(Timer::Reconnect));
    }
    assert_eq!(started, 1);
    let effects = line(&mut machine, LineEvent::Timer(Timer::Poll));
    assert!(effects.contains(&Effect::FetchAfter(Seq::new(3))));
    assert!(
        effects
            .iter()
            .any(|it| matches!(it, Effect::Start(Timer::Poll, _)))
    );
    give(&mut machine, Input::Fetched(Ok(page(4..=4, 4))));
    assert_eq!(texts(&machine).len(), 4);
    line(&mut machine, LineEvent::Opened);
    assert!(frame(&mut machine, watched(4)).contains(&Effect::Stop(Timer::Poll)));
}
