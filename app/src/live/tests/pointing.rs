use super::super::effect::Effect;
use super::super::line::LineEvent;
use super::super::machine::{Input, Machine};
use super::fixture::{page, upload_id};
use super::rig::*;
use crate::event::{ClientCommand, ServerEvent};
use crate::model::{Point, TabId, TouchPoint};

fn tap(machine: &mut Machine) -> Vec<Effect> {
    give(machine, Input::Tap(Point::new(0.123_456, 0.5).unwrap()))
}

#[test]
fn a_tap_is_drawn_and_told() {
    let mut machine = live();
    let told = Effect::Send(ClientCommand::Touch {
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
                tab: tab.parse::<TabId>().unwrap().tag(upload_id()),
            })
            .into(),
    };
    frame(&mut machine, touched());
    assert_eq!(machine.ripples().len(), 1);
    line(&mut machine, LineEvent::Hidden);
    frame(&mut machine, touched());
    assert_eq!(machine.ripples().len(), 1);
}
