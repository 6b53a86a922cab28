use super::super::connection::ConnectionEvent;
use super::super::effect::Effect;
use super::super::machine::{Input, Machine};
use super::fixture::{page, upload_id};
use super::harness::*;
use crate::event::{ClientCommand, ServerEvent};
use crate::model::{Point, TabId, TouchPoint};

fn touch(machine: &mut Machine) -> Vec<Effect> {
    give(machine, Input::Touch(Point::new(0.123_456, 0.5).unwrap()))
}

#[test]
fn a_touch_is_drawn_and_sent() {
    let mut machine = live();
    let sent = Effect::Send(ClientCommand::Touch {
        upload_id: upload_id().to_string().parse().unwrap(),
        at: Point::new(0.123_456, 0.5).unwrap(),
        tab: "me".parse().unwrap(),
        author: None,
        name: None,
        stroke: None,
    });
    assert_eq!(touch(&mut machine), [sent]);
    assert_eq!(machine.ripples().len(), 1);
    let id = machine.ripples()[0].id;
    give(&mut machine, Input::RemoveRipple(id));
    assert_eq!(machine.ripples().len(), 0);
}

#[test]
fn without_a_connection_a_touch_is_only_drawn() {
    let mut machine = machine(page(1..=3, 3));
    assert_eq!(touch(&mut machine), []);
    assert_eq!(machine.ripples().len(), 1);
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
