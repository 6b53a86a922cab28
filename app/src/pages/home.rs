use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::{DropZone, Header, Main};
use crate::settings::Settings;

/// The home page with the upload form.
#[component]
pub fn HomePage() -> impl IntoView {
    let Settings {
        max_upload_bytes, ..
    } = expect_context();
    view! {
        <Title text="Tonesa: point at an image, together"/>
        <div class="page">
            <Header/>
            <Main class="home rings">
                <h1>"Point at a picture, together."</h1>
                <p class="lead">
                    "Drop an image and share its link. Everyone sees it, talks about it, and sees where you tap. No account."
                </p>
                <DropZone max_bytes=max_upload_bytes/>
            </Main>
            <footer class="footer">"Anyone with the link can see the image and write."</footer>
        </div>
    }
}
