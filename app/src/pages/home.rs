use leptos::prelude::*;

use crate::components::{DropZone, Header};
use crate::source::HomeStart;

/// The home page: what Tonesa is, and the way in.
#[component]
pub fn Home(start: HomeStart) -> impl IntoView {
    view! {
        <div class="page">
            <Header/>
            <main id="main" class="home rings" tabindex="-1">
                <h1>"Point at a picture, together."</h1>
                <p class="lead">
                    "Drop an image and share its link. Everyone sees it, talks about it, and sees where you tap. No account."
                </p>
                <DropZone start/>
            </main>
            <footer class="footer">"Anyone with the link can see the image and write."</footer>
        </div>
    }
}
