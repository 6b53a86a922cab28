use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::{Brand, DropZone, Main, OwnPictures};
use crate::settings::Settings;

/// A picture with two ripples and two messages, which the style sheet plays once. Static, so it is plain HTML: 2 kB less of
/// WASM than a view.
const DEMO: &str = include_str!("demo.html");

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
                <figure class="demo" inner_html=DEMO></figure>
                <OwnPictures/>
            </Main>
        </div>
    }
}
