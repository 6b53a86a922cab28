use leptos::prelude::*;

use crate::components::{
    Brand, Composer, ConnectionStatus, CopyLink, Header, ImageStage, MessageList,
};
use crate::live::Live;
use crate::model::UploadPage;

/// An upload's page: the picture, what is said about it, and where people point.
#[component]
pub fn Upload(page: UploadPage) -> impl IntoView {
    let upload = page.upload.clone();
    let short_id = upload.short_id;
    let live = Live::start(page);
    let rewrite = RwSignal::new(None);
    let on_edit = Callback::new(move |text| rewrite.set(Some(text)));
    view! {
        <div class="page upload-page">
            <header class="header">
                <Brand/>
                <ConnectionStatus connection=live.connection/>
                <CopyLink short_id/>
            </header>
            <main id="main" class="upload" tabindex="-1">
                <h1 class="visually-hidden">"A shared picture"</h1>
                <ImageStage image=upload.content live/>
                <section class="panel" aria-label="Conversation">
                    <MessageList live on_edit/>
                    <Composer short_id live rewrite/>
                </section>
            </main>
        </div>
    }
}

/// While the browser fetches the page, after an upload: the page's outline, so that nothing jumps.
#[component]
pub fn Loading() -> impl IntoView {
    view! {
        <div class="page upload-page">
            <Header/>
            <main id="main" class="upload" tabindex="-1">
                <div class="stage" role="status">
                    <p class="loading">"Opening the picture…"</p>
                </div>
                <div class="panel"></div>
            </main>
        </div>
    }
}
