use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::{NotFound, Unavailable};
use crate::components::{Composer, ConnectionStatus, CopyLink, Header, ImageStage, MessageList};
use crate::live::Live;
use crate::model::{ShortId, UploadPage};
use crate::source::PageError;

/// An upload's page: the picture, what is said about it, and where people point.
#[component]
pub fn Upload() -> impl IntoView {
    let params = use_params_map();
    let short_id = Memo::new(move |_| params.read().get("short_id").unwrap_or_default());
    let page = Resource::new_blocking(move || short_id.get(), load);
    view! {
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match page.await {
                    Ok(page) => view! { <Conversation page/> }.into_any(),
                    Err(PageError::NotFound) => view! { <NotFound/> }.into_any(),
                    Err(PageError::Unavailable) => view! { <Unavailable/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

async fn load(short_id: String) -> Result<UploadPage, PageError> {
    let short_id = short_id.parse().map_err(|_| PageError::NotFound)?;
    fetch(short_id).await
}

#[cfg(feature = "ssr")]
async fn fetch(short_id: ShortId) -> Result<UploadPage, PageError> {
    let source = use_context::<crate::source::SharedPageSource>().ok_or(PageError::Unavailable)?;
    source.upload_page(short_id).await
}

#[cfg(not(feature = "ssr"))]
async fn fetch(short_id: ShortId) -> Result<UploadPage, PageError> {
    // The browser has one thread; the resource asks for a future that could move to another one all the same.
    send_wrapper::SendWrapper::new(crate::live::api::fetch_upload_page(short_id)).await
}

#[component]
fn Conversation(page: UploadPage) -> impl IntoView {
    #[cfg(feature = "ssr")]
    super::share::describe_upload(&page);
    let upload = page.upload.clone();
    let short_id = upload.short_id;
    let live = Live::start(page);
    let (rewrite, set_rewrite) = signal(None);
    let on_edit = Callback::new(move |text| set_rewrite.set(Some(text)));
    view! {
        <Title text="A shared picture · Tonesa"/>
        <div class="page upload-page">
            <Header>
                <ConnectionStatus connection=live.connection/>
                <CopyLink short_id/>
            </Header>
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
    .into_any()
}

/// While the browser fetches the page, after an upload: the page's outline, so that nothing jumps.
#[component]
fn Loading() -> impl IntoView {
    view! {
        <div class="page upload-page">
            <Header/>
            <main id="main" class="upload" tabindex="-1">
                <div class="stage" role="status"><p class="loading">"Opening the picture…"</p></div>
                <div class="panel"></div>
            </main>
        </div>
    }
}
