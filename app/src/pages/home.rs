use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::{Brand, DropZone, Main, OwnPictures};
use crate::settings::Settings;

/// The home page: the upload form, what it leads to, and the pictures that this browser has uploaded.
#[component]
pub fn HomePage() -> impl IntoView {
    let Settings {
        max_upload_bytes, ..
    } = expect_context();
    view! {
        <Title text="Tonesa: point at an image, together"/>
        <div class="page">
            <header class="header">
                <Brand/>
            </header>
            <Main class="home">
                <div class="pitch">
                    <h1>"Point at a picture, together."</h1>
                    <p class="lead">
                        "Drop an image and share its link. Everyone sees it, talks about it, and sees where you tap. No account."
                    </p>
                    <DropZone max_bytes=max_upload_bytes/>
                </div>
                <Demo/>
                <OwnPictures/>
            </Main>
        </div>
    }
}

/// A picture with two ripples and two messages, which the style sheet plays once.
#[component]
fn Demo() -> impl IntoView {
    view! {
        <figure class="demo">
            <div class="demo-picture">
                <img
                    src="/demo.webp"
                    width="600"
                    height="400"
                    alt="A cup of coffee on a red saucer, with two places that people point at"
                    loading="lazy"
                    decoding="async"
                />
                <span class="demo-point hue-2">
                    <b>"Mira"</b>
                </span>
                <span class="demo-point hue-7">
                    <b>"Jonas"</b>
                </span>
            </div>
            <ul class="demo-talk">
                <li>
                    <span class="avatar hue-2" aria-hidden="true">
                        "M"
                    </span>
                    <p>
                        <b>"Mira"</b>
                        "Is that foam or a reflection, up here on the rim?"
                    </p>
                </li>
                <li>
                    <span class="avatar hue-7" aria-hidden="true">
                        "J"
                    </span>
                    <p>
                        <b>"Jonas"</b>
                        "Reflection. Same light here, on the spoon."
                    </p>
                </li>
            </ul>
        </figure>
    }
}
