use std::time::Duration;

use gloo_timers::callback::Timeout;
use leptos::prelude::*;
use send_wrapper::SendWrapper;

/// Runs something after a while, unless it is started anew before. It ends with its reactive owner. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct ScopedTimeout(StoredValue<Option<SendWrapper<Timeout>>>);

impl ScopedTimeout {
    /// One that is not running.
    pub fn new() -> Self {
        Self(StoredValue::new(None))
    }

    /// Has this run after so long, and not what it was started for before.
    pub fn start(self, duration: Duration, run: impl FnOnce() + 'static) {
        let millis = u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
        // A timeout that is dropped does not run.
        self.0
            .set_value(Some(SendWrapper::new(Timeout::new(millis, run))));
    }
}
