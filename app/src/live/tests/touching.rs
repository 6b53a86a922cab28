use super::super::connection::ConnectionEvent;
use super::super::effect::{Effect, Timer};
use super::super::machine::{Input, Machine};
use super::fixture::{me, message, page, upload_id};
use super::harness::*;
use crate::event::{ClientCommand, ServerEvent};
use crate::model::{AuthorName, Person, Point, Seq, TabId, TouchPoint, Viewer};

fn touch(machine: &mut Machine) -> Vec<Effect> {
    give(machine, Input::Touch(Point::new(0.123_456, 0.5).unwrap()))
}

/// The touch that is sent under this alias.
fn sent(name: Option<&str>, stroke: Option<&str>) -> Effect {
    Effect::Send(ClientCommand::Touch {
        upload_id: upload_id().to_string().parse().unwrap(),
        at: Point::new(0.123_456, 0.5).unwrap(),
        tab: "me".parse().unwrap(),
        author: me().author,
        name: name.map(|name| name.parse().unwrap()),
        stroke: stroke.map(|stroke| stroke.parse().unwrap()),
    })
}

fn rename(machine: &mut Machine, name: &str) -> Vec<Effect> {
    give(machine, Input::Rename(name.parse::<AuthorName>().unwrap()))
}

/// The viewer of the only watch among the effects.
fn viewer(effects: &[Effect]) -> Option<Viewer> {
    let mut watches = effects.iter().filter_map(|effect| match effect {
        Effect::Send(ClientCommand::Watch { viewer, .. }) => Some(viewer.clone()),
        _ => None,
    });
    let viewer = watches.next().expect("it watches");
    assert!(watches.next().is_none(), "it watches once");
    viewer
}

#[test]
fn a_touch_is_drawn_and_sent() {
    let mut machine = live();
    assert_eq!(touch(&mut machine), [sent(Some("Me"), None)]);
    assert_eq!(machine.ripples().len(), 1);
    let id = machine.ripples()[0].id;
    give(&mut machine, Input::EndRipple(id));
    assert!(machine.ripples()[0].is_dot);
    give(&mut machine, Input::EndRipple(id));
    assert_eq!(machine.ripples().len(), 0);
}

#[test]
fn what_is_drawn_is_gone_when_the_page_is_left() {
    let mut machine = live();
    touch(&mut machine);
    give(&mut machine, Input::DrawLine(Point::new(0.2, 0.2).unwrap()));
    give(&mut machine, Input::DrawLine(Point::new(0.4, 0.4).unwrap()));
    give(&mut machine, Input::Connection(ConnectionEvent::Unmounted));
    assert!(machine.ripples().is_empty());
    assert!(machine.segments().is_empty());
}

#[test]
fn without_a_connection_a_touch_is_only_drawn_and_shown_as_not_sent() {
    let mut machine = machine(page(1..=3, 3));
    assert_eq!(touch(&mut machine), []);
    assert_eq!(machine.ripples().len(), 1);
    assert!(!machine.ripples()[0].is_sent);
    connect(&mut machine, 3);
    touch(&mut machine);
    assert!(machine.ripples()[1].is_sent);
}

#[test]
fn a_line_is_drawn_and_sent_with_its_stroke() {
    let mut machine = live();
    let at = Point::new(0.123_456, 0.5).unwrap();
    let effects = give(&mut machine, Input::DrawLine(at));
    assert_eq!(effects, [sent(Some("Me"), Some("1"))]);
    give(&mut machine, Input::EndLine);
    let id = machine.segments()[0].id;
    give(&mut machine, Input::EndSegment(id));
    assert_eq!(machine.segments(), []);
    let effects = give(&mut machine, Input::DrawLine(at));
    assert_eq!(effects, [sent(Some("Me"), Some("2"))]);
}

#[test]
fn a_watch_says_who_watches_and_is_repeated_after_a_change_of_the_alias() {
    let mut machine = machine(page(1..=3, 3));
    connection(&mut machine, ConnectionEvent::Mounted);
    let effects = connection(&mut machine, ConnectionEvent::Opened);
    assert_eq!(viewer(&effects), Some(me()));
    frame(&mut machine, watched(3));

    assert_eq!(rename(&mut machine, "Me"), [], "nothing has changed");
    let delayed = [Effect::Start(Timer::Rename, 1_000)];
    assert_eq!(rename(&mut machine, "Mira"), delayed);
    assert_eq!(touch(&mut machine), [sent(Some("Mira"), None)]);
    assert_eq!(rename(&mut machine, "Anonymous"), delayed);
    let effects = give(&mut machine, Input::Timer(Timer::Rename));
    let nameless = Viewer { name: None, ..me() };
    assert_eq!(viewer(&effects), Some(nameless));
    assert_eq!(touch(&mut machine), [sent(None, None)]);
}

#[test]
fn an_alias_that_changes_without_a_connection_is_told_by_the_next_watch() {
    let mut machine = machine(page(1..=3, 3));
    rename(&mut machine, "Mira");
    let effects = give(&mut machine, Input::Timer(Timer::Rename));
    assert_eq!(effects, []);
    connection(&mut machine, ConnectionEvent::Mounted);
    let effects = connection(&mut machine, ConnectionEvent::Opened);
    let name = viewer(&effects).unwrap().name;
    assert_eq!(name, Some("Mira".parse().unwrap()));
}

#[test]
fn an_alias_that_changes_before_the_watch_is_answered_is_told_afterwards() {
    let mut machine = machine(page(1..=3, 3));
    connection(&mut machine, ConnectionEvent::Mounted);
    connection(&mut machine, ConnectionEvent::Opened);
    rename(&mut machine, "Mira");
    assert_eq!(give(&mut machine, Input::Timer(Timer::Rename)), []);
    let answer = ServerEvent::Watched {
        upload_id: upload_id(),
        head: Seq::new(4),
        entries: vec![message(4).into()],
        reset: false,
    };
    let effects = frame(&mut machine, answer);
    let name = viewer(&effects).unwrap().name;
    assert_eq!(name, Some("Mira".parse().unwrap()));
    let is_after = |after| {
        let mut watches = effects.iter();
        watches.any(|it| matches!(it, Effect::Send(ClientCommand::Watch { after: Some(seq), .. }) if *seq == after))
    };
    assert!(is_after(Seq::new(4)), "with what the answer has brought");
    let effects = frame(&mut machine, watched(3));
    assert_eq!(effects, [Effect::Stop(Timer::Timeout)], "once");
}

#[test]
fn who_is_here_is_known_once_the_server_says_so() {
    let mut machine = live();
    assert_eq!(machine.presence(), None);
    let kim = Person {
        author: None,
        name: "Kim".parse().unwrap(),
    };
    let presence = |count| ServerEvent::Presence {
        upload_id: upload_id(),
        count,
        people: vec![kim.clone()],
    };
    frame(&mut machine, presence(2));
    frame(&mut machine, presence(3));
    let known = machine.presence().unwrap();
    assert_eq!((known.count, &known.people), (3, &vec![kim.clone()]));
}

#[test]
fn touches_of_others_are_drawn_while_the_tab_is_visible() {
    let mut machine = live();
    let touched = || ServerEvent::Touched {
        upload_id: upload_id(),
        points: ["me", "you"]
            .map(|tab| TouchPoint {
                at: Point::new(0.5, 0.5).unwrap(),
                tab: tab.parse::<TabId>().unwrap().tag(upload_id()),
                author: None,
                name: None,
                stroke: None,
            })
            .into(),
    };
    frame(&mut machine, touched());
    assert_eq!(machine.ripples().len(), 1);
    connection(&mut machine, ConnectionEvent::Hidden);
    frame(&mut machine, touched());
    assert_eq!(machine.ripples().len(), 1);
}
