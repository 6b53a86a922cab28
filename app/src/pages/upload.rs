use leptos::prelude::*;

use crate::browser::Hydrated;
use crate::components::{Brand, Composer, ConnectionStatus, CopyLink, ImageStage, MessageList};
use crate::live::Live;
use crate::source::UploadStart;

/// An upload's page: the picture, what is said about it, and where people point.
#[component]
pub fn Upload(start: UploadStart) -> impl IntoView {
    let UploadStart { page, origin } = start;
    let upload = page.upload.clone();
    let short_id = upload.short_id;
    let link = format!("{origin}/u/{short_id}");
    let hydrated = Hydrated::watch();
    let live = Live::start(page);
    let rewrite = RwSignal::new(None);
    let on_edit = Callback::new(move |text| rewrite.set(Some(text)));
    view! {
        <div class="page upload-page">
            <header class="header">
                <Brand/>
                <ConnectionStatus connection=live.connection/>
                <CopyLink link/>
            </header>
            <main id="main" class="upload" tabindex="-1">
                <h1 class="visually-hidden">"A shared picture"</h1>
                <ImageStage image=upload.content live/>
                <section class="panel" aria-label="Conversation">
                    <MessageList hydrated live on_edit/>
                    <Composer short_id live rewrite/>
                </section>
            </main>
        </div>
    }
}
