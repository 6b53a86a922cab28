use leptos::prelude::*;

use super::place::decimal;
use super::zoom::Zoom;
use crate::components::avatar::{hue, hue_of_touch};
use crate::erased::ErasedFor;
use crate::live::{Live, Segment};
use crate::model::{AuthorName, Point};

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
    let pen = move |part: fn(Point) -> f64| {
        move || {
            zoom.pen
                .get()
                .map(|at| decimal(part(at)))
                .unwrap_or_default()
        }
    };
    let pen_class = move || {
        [
            "pen ",
            hue(&AuthorName::default(), live.author.get().as_ref()),
        ]
        .concat()
    };
    view! {
        <svg class="strokes" viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
            <ErasedFor
                each=move || live.segments.get()
                key=|segment| segment.id
                children=segment
            />
        </svg>
        <i
            class=pen_class
            aria-hidden="true"
            hidden=move || zoom.pen.get().is_none()
            style=("--x", pen(Point::x))
            style=("--y", pen(Point::y))
        ></i>
    }
}

/// The curve in fractions of the image, for SVG.
fn path(segment: &Segment) -> String {
    let [from, control, to] = segment
        .points
        .map(|at| [decimal(at.x()), decimal(at.y())].join(" "));
    ["M", &from, "Q", &control, " ", &to].concat()
}
