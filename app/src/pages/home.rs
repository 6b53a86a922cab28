use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::{Brand, DropZone, Footer, Main, OwnPictures};
use crate::settings::Settings;
use crate::texts::{fill, texts};

/// A picture with two ripples and two messages, which the style sheet plays once. Static, so it is plain HTML: 2 kB
/// less of WASM than a view.
const DEMO: &str = include_str!("demo.html");

/// The home page: the upload form, what it leads to, and the pictures that this browser has uploaded.
#[component]
pub fn HomePage() -> impl IntoView {
    let Settings {
        max_upload_bytes, ..
    } = expect_context();
    let texts = texts();
    let demo = [
        ("alt", texts.demo_alt),
        ("question", texts.demo_question),
        ("answer", texts.demo_answer),
    ];
    let demo = fill(DEMO, &demo);
    view! {
        <Title text=texts.home_title/>
        <div class="page">
            <header class="header">
                <Brand/>
            </header>
            <Main class="home">
                <div class="pitch">
                    <h1>{texts.home_heading}</h1>
                    <p class="lead">{texts.pitch} " " {texts.no_account}</p>
                    <DropZone max_bytes=max_upload_bytes/>
                </div>
                <figure class="demo" inner_html=demo></figure>
                <OwnPictures/>
            </Main>
            <Footer/>
        </div>
    }
}
