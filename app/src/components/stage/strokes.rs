use leptos::prelude::*;

use super::place::decimal;
use super::zoom::Zoom;
use crate::components::avatar::{hue, hue_of_touch};
use crate::erased::ErasedFor;
use crate::live::{Live, Segment};
use crate::model::AuthorName;

/// The lines that are being drawn on the image, as segments that fade, and the reader's pen while it is down.
#[component]
pub fn Strokes(zoom: Zoom, live: Live) -> impl IntoView {
    let segment = move |segment: Segment| {
        let unsent = if segment.is_sent { "" } else { " unsent" };
        let class = ["segment ", hue_of_touch(&segment.by), unsent].concat();
        let path = path(&segment);
        let id = segment.id;
        view! {
            <g class=class on:animationend=move |_| live.end_segment(id)>
                <path class="casing" d=path.clone()></path>
                <path d=path></path>
            </g>
        }
    };
    // Nothing otherwise, since a `style` attribute in the server's document would need a hash in its policy.
    let pen = move || {
        let at = zoom.pen.get()?;
        let hue = hue(&AuthorName::default(), live.author.get().as_ref());
        Some(view! {
            <i
                class=["pen ", hue].concat()
                aria-hidden="true"
                style=("--x", decimal(at.x()))
                style=("--y", decimal(at.y()))
            ></i>
        })
    };
    view! {
        <svg class="strokes" viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
            <ErasedFor
                each=move || live.segments.get()
                key=|segment| segment.id
                children=segment
            />
        </svg>
        {pen}
    }
}

/// The curve in fractions of the image, for SVG.
fn path(segment: &Segment) -> String {
    let [from, control, to] = segment
        .points
        .map(|at| [decimal(at.x()), decimal(at.y())].join(" "));
    ["M", &from, "Q", &control, " ", &to].concat()
}
