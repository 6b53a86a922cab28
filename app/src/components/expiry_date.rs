use leptos::prelude::*;

use crate::browser::Hydrated;
use crate::browser::clock::Zone;
use crate::erased::erase;
use crate::model::Timestamp;
use crate::texts::{fill, texts};

/// Until when an image stays, if it expires.
pub fn expiry_date(expires_at: Option<Timestamp>) -> Option<AnyView> {
    let at = expires_at?;
    let hydrated = Hydrated::expect();
    let text = move || {
        let date = Zone::of(hydrated).short_date(at);
        fill(texts().until, &[("date", &date)])
    };
    Some(erase(view! {
        <time class="until" datetime=at.to_string()>
            {text}
        </time>
    }))
}
