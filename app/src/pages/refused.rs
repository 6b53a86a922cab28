use leptos::prelude::*;

use crate::components::Notice;
use crate::problem::Problem;

/// A form was not accepted; for browsers without scripts, which show the server's answer as a page.
#[component]
pub fn Refused(problem: Problem) -> impl IntoView {
    view! {
        <Notice mark="!" title=problem.title>
            <p>{problem.detail}</p>
            <p><a class="button primary" href="/">"Back to the start"</a></p>
        </Notice>
    }
}
