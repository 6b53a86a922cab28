//! Touching the image, and under which alias.

use super::Machine;
use crate::event::ClientCommand;
use crate::live::connection::Phase;
use crate::live::effect::{Effect, Now, Timer};
use crate::model::{AuthorName, Point, StrokeId, TouchPoint, UploadRef};

/// Others are told a new alias once it was not changed for this time, in milliseconds.
const RENAME_DELAY_MILLIS: u32 = 1_000;

impl Machine {
    pub(super) fn on_touched(&mut self, points: Vec<TouchPoint>) {
        // An invisible tab animates nothing: the ripples would all start when it becomes visible.
        if self.connector.is_visible() {
            self.ripples.on_touched(points);
            self.changes.ripples = true;
        }
    }

    pub(super) fn touch(&mut self, at: Point, now: Now) {
        let is_sent = self.is_live();
        if let Some(at) = self.ripples.touch(at, is_sent, now) {
            self.changes.ripples = true;
            self.send_touch(at, None);
        }
    }

    /// Draws the reader's line to this point, or ends it.
    pub(super) fn draw_line(&mut self, to: Option<Point>, now: Now) {
        let is_sent = self.is_live();
        let sent = match to {
            Some(at) => self.ripples.draw_line(at, is_sent, now),
            None => self.ripples.end_line(is_sent, now),
        };
        self.changes.ripples = true;
        if let Some((at, stroke)) = sent {
            self.send_touch(at, Some(stroke));
        }
    }

    pub(super) fn rename(&mut self, name: AuthorName) {
        let name = (name != AuthorName::default()).then_some(name);
        if self.ripples.me().name == name {
            return;
        }
        self.connector.rename(name.clone());
        self.ripples.rename(name);
        self.effects
            .push(Effect::Start(Timer::Rename, RENAME_DELAY_MILLIS));
    }

    fn is_live(&self) -> bool {
        self.connector.phase() == Phase::Live
    }

    fn send_touch(&mut self, at: Point, stroke: Option<StrokeId>) {
        if !self.is_live() {
            return;
        }
        let me = self.ripples.me();
        self.effects.push(Effect::Send(ClientCommand::Touch {
            upload_id: UploadRef::Id(self.upload),
            at,
            tab: self.ripples.tab().clone(),
            author: me.author,
            name: me.name.clone(),
            stroke,
        }));
    }
}
