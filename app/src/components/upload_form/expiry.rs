use leptos::html::Select;
use leptos::prelude::*;

use super::uploader::Uploader;
use crate::erased::effect;
use crate::settings::Settings;
use crate::texts::{Texts, texts};

const DAY_SECONDS: u32 = 86_400;

/// The choice for how long an image is kept. Those beyond the server's limit are not offered.
#[component]
pub fn KeepChoice(uploader: Uploader) -> impl IntoView {
    let Settings {
        max_age_seconds, ..
    } = expect_context();
    let field = NodeRef::<Select>::new();
    // It may have been chosen before hydration.
    effect(move || {
        if let Some(field) = field.get() {
            uploader.keep_for(&field.value());
        }
    });
    let options = choices(max_age_seconds, texts())
        .into_iter()
        .map(|(seconds, label)| view! { <option value=seconds>{label}</option> })
        .collect_view();
    view! {
        <label class="keep">
            {texts().keep_it}
            <select
                name="expiresIn"
                node_ref=field
                on:change=move |ev| uploader.keep_for(&event_target_value(&ev))
            >
                {options}
            </select>
        </label>
    }
}

/// Values in seconds and their labels. The first one is empty: as long as the server keeps images by itself.
fn choices(max_age_seconds: u32, texts: &Texts) -> Vec<(String, &'static str)> {
    let longest = match max_age_seconds {
        0 => texts.for_good,
        _ => texts.as_long_as_allowed,
    };
    let shorter = [
        (DAY_SECONDS, texts.for_a_day),
        (7 * DAY_SECONDS, texts.for_a_week),
        (30 * DAY_SECONDS, texts.for_a_month),
    ];
    let is_offered = |&(seconds, _): &(u32, _)| max_age_seconds == 0 || seconds <= max_age_seconds;
    let shorter = shorter.into_iter().filter(is_offered);
    let shorter = shorter.map(|(seconds, label)| (seconds.to_string(), label));
    [(String::new(), longest)]
        .into_iter()
        .chain(shorter)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(max_age_seconds: u32) -> Vec<&'static str> {
        let choices = choices(max_age_seconds, texts());
        choices.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn without_a_limit_an_image_may_be_kept_for_good() {
        let expected = ["for good", "for a day", "for a week", "for a month"];
        assert_eq!(offered(0), expected);
        assert_eq!(choices(0, texts())[0].0, "");
        assert_eq!(choices(0, texts())[2].0, "604800");
    }

    #[test]
    fn what_is_beyond_the_limit_is_not_offered() {
        let longest = "as long as allowed";
        assert_eq!(offered(604_799), [longest, "for a day"]);
        assert_eq!(offered(604_800), [longest, "for a day", "for a week"]);
        assert_eq!(offered(3_600), [longest]);
    }
}
