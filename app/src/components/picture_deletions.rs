//! The pictures that the reader deletes: for a while that can be undone, then the server is asked.

use gloo_timers::callback::Timeout;
use leptos::prelude::*;
use leptos::task::spawn_local;
use send_wrapper::SendWrapper;

use super::own_pictures::list;
use crate::erased::effect;
use crate::live::failure::ApiFailure;
use crate::live::{UNDO_MILLIS, api};
use crate::model::ShortId;
use crate::page_data::PageError;
use crate::texts::{fill, texts};

/// The state of a deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PictureDeletion {
    /// It can be undone.
    Waiting,
    /// The server was asked.
    Sent,
    /// The server has deleted it, or had done so before.
    Done,
    /// The server has not deleted it. Why, in a sentence for people.
    Failed(String),
}

impl PictureDeletion {
    /// Whether the picture is shown as deleted.
    pub fn is_shown(&self) -> bool {
        !matches!(self, Self::Failed(_))
    }
}

/// The deletions of this document, at most one for each picture. Provided as context. Cheap to copy.
#[derive(Clone, Copy)]
pub struct PictureDeletions {
    all: RwSignal<Vec<(ShortId, PictureDeletion)>>,
    /// The picture whose deletion can no longer be undone. Set before that is shown, so that the focus can be moved.
    pub closing: RwSignal<Option<ShortId>>,
    /// Those that run until a deletion can no longer be undone.
    timers: StoredValue<Vec<(ShortId, SendWrapper<Timeout>)>>,
}

impl PictureDeletions {
    /// Provides them as context, for as long as the app lives. Those that can still be undone are sent when the
    /// document is left or hidden.
    pub fn provide() {
        let deletions = Self {
            all: RwSignal::new(Vec::new()),
            closing: RwSignal::new(None),
            timers: StoredValue::new(Vec::new()),
        };
        provide_context(deletions);
        effect(move || {
            let send_if_hidden = move |_| {
                if document().hidden() {
                    deletions.send_all();
                }
            };
            let listeners = [
                window_event_listener_untyped("pagehide", move |_| deletions.send_all()),
                window_event_listener_untyped("visibilitychange", send_if_hidden),
            ];
            on_cleanup(move || listeners.into_iter().for_each(WindowListenerHandle::remove));
        });
    }

    /// From the context.
    pub fn expect() -> Self {
        expect_context()
    }

    /// The deletion of this picture, if there is one; tracked.
    pub fn get(self, short_id: ShortId) -> Option<PictureDeletion> {
        self.all.with(|all| state(all, short_id))
    }

    /// Deletes a picture, after the time in which that can be undone; at once if it has failed before.
    pub fn delete(self, short_id: ShortId) {
        match self.all.with_untracked(|all| state(all, short_id)) {
            Some(PictureDeletion::Failed(_)) => self.send(short_id),
            Some(_) => {}
            None => {
                self.set(short_id, Some(PictureDeletion::Waiting));
                let timer = Timeout::new(UNDO_MILLIS, move || self.send(short_id));
                let timer = (short_id, SendWrapper::new(timer));
                self.timers.update_value(|timers| timers.push(timer));
            }
        }
    }

    /// Undoes that if it is not too late.
    pub fn undo(self, short_id: ShortId) {
        let state = self.all.with_untracked(|all| state(all, short_id));
        if state == Some(PictureDeletion::Waiting) {
            self.stop_timer(short_id);
            self.set(short_id, None);
        }
    }

    /// Says no more that it has failed.
    pub fn forget_failure(self, short_id: ShortId) {
        let state = self.all.try_with_untracked(|all| state(all, short_id));
        if let Some(Some(PictureDeletion::Failed(_))) = state {
            self.set(short_id, None);
        }
    }

    /// Sends this one at once if it can still be undone.
    pub fn send_now(self, short_id: ShortId) {
        let state = self.all.try_with_untracked(|all| state(all, short_id));
        if state.flatten() == Some(PictureDeletion::Waiting) {
            self.send(short_id);
        }
    }

    /// Sends those that can still be undone.
    pub fn send_all(self) {
        let all = self.all.try_get_untracked().unwrap_or_default();
        for (short_id, _) in all {
            self.send_now(short_id);
        }
    }

    fn send(self, short_id: ShortId) {
        self.stop_timer(short_id);
        self.closing.set(Some(short_id));
        self.set(short_id, Some(PictureDeletion::Sent));
        spawn_local(async move {
            let answer = api::delete(&format!("/api/uploads/{short_id}")).await;
            let state = outcome(answer);
            if state == PictureDeletion::Done {
                list::forget(short_id);
            }
            self.set(short_id, Some(state));
        });
    }

    fn set(self, short_id: ShortId, state: Option<PictureDeletion>) {
        self.all.try_update(|all| {
            all.retain(|it| it.0 != short_id);
            all.extend(state.map(|state| (short_id, state)));
        });
    }

    /// A timeout that is dropped does not run.
    fn stop_timer(self, short_id: ShortId) {
        self.timers
            .update_value(|timers| timers.retain(|it| it.0 != short_id));
    }
}

fn state(all: &[(ShortId, PictureDeletion)], short_id: ShortId) -> Option<PictureDeletion> {
    let found = all.iter().find(|it| it.0 == short_id);
    found.map(|(_, state)| state.clone())
}

fn outcome(answer: Result<(), ApiFailure>) -> PictureDeletion {
    let Err(failure) = answer else {
        return PictureDeletion::Done;
    };
    let reason = failure.to_string();
    match PageError::from(failure) {
        PageError::NotFound | PageError::Gone => PictureDeletion::Done,
        PageError::Unavailable => {
            let reason = fill(texts().not_deleted_because, &[("reason", &reason)]);
            PictureDeletion::Failed(reason)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> Result<(), ApiFailure> {
        Err(ApiFailure::Unexplained(status))
    }

    #[test]
    fn a_picture_that_was_gone_before_is_as_good_as_deleted() {
        for answer in [Ok(()), refused(404), refused(410)] {
            assert_eq!(outcome(answer), PictureDeletion::Done);
        }
    }

    #[test]
    fn a_failure_says_why() {
        let expected = "Not deleted. The server refused it.".to_owned();
        assert_eq!(outcome(refused(403)), PictureDeletion::Failed(expected));
        let unreachable = outcome(Err(ApiFailure::Unreachable));
        assert!(!unreachable.is_shown());
    }
}
