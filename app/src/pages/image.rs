use leptos::prelude::*;
use leptos::text_prop::TextProp;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::failures::{Gone, Loading, NotFound, Unavailable};
use crate::browser::Hydrated;
use crate::browser::clock::Zone;
use crate::components::{
    Brand, Composer, ConnectionStatus, Footer, ImageStage, Main, MessageList, NewPicture, People,
    Places, ShareButton, UploadOffer, add_from_form, count_unread, image_title,
};
use crate::erased::{effect, erase};
use crate::live::{Connection, Conversations, Opened};
use crate::model::{ShortId, UploadPage};
use crate::page_data::{self, PageError};
use crate::settings::Settings;
use crate::texts::texts;

/// The page of an upload: the image with its ripples, and the conversation.
#[component]
pub fn ImagePage() -> impl IntoView {
    let params = use_params_map();
    let conversations = Conversations::expect();
    let short_id = move || {
        params
            .read()
            .get("id")
            .and_then(|id| id.parse::<ShortId>().ok())
    };
    let page = Resource::new_blocking(short_id, move |short_id| async move {
        let short_id = short_id.ok_or(PageError::NotFound)?;
        match conversations.page(short_id) {
            Some(page) => Ok(page),
            None => page_data::image_page(short_id).await,
        }
    });
    // The upload that the server did not know any more while its conversation was open.
    let missing = RwSignal::new(None::<(ShortId, PageError)>);
    let page = move || {
        let error = missing.get().filter(|it| short_id() == Some(it.0));
        Suspend::new(async move {
            match error.map_or(page.await, |(_, error)| Err(error)) {
                Ok(page) => erase(view! { <Conversation page missing/> }),
                Err(PageError::NotFound) => erase(NotFound()),
                Err(PageError::Gone) => erase(Gone()),
                Err(PageError::Unavailable) => erase(Unavailable()),
            }
        })
    };
    view! { <Suspense fallback=|| erase(Loading())>{page}</Suspense> }
}

#[component]
fn Conversation(
    page: UploadPage,
    /// Set when the server does not know the upload, or no longer.
    missing: RwSignal<Option<(ShortId, PageError)>>,
) -> impl IntoView {
    let Settings {
        max_upload_bytes, ..
    } = expect_context();
    let Opened {
        upload,
        local_file,
        live,
    } = Conversations::expect().open(page);
    effect({
        let upload = upload.clone();
        move || add_from_form(&upload)
    });
    effect(move || live.enter());
    on_cleanup(move || live.leave());
    let short_id = upload.short_id;
    effect(move || match live.connection.get() {
        Connection::NotFound => missing.set(Some((short_id, PageError::NotFound))),
        Connection::Gone => missing.set(Some((short_id, PageError::Gone))),
        _ => {}
    });
    let places = Places::provide();
    let hydrated = Hydrated::expect();
    let title = move || {
        let first = live.messages.first_text.read();
        image_title(first.as_ref(), upload.created_at, Zone::of(hydrated))
    };
    let unread = count_unread(live);
    // The title may be read once more while the page of another image takes its place.
    let tab_title = move || match unread.try_get().unwrap_or_default() {
        0 => format!("{} · Tonesa", title()),
        count => format!("({count}) {} · Tonesa", title()),
    };
    // The server puts it into the document when signals can no longer be read, and does not escape it.
    let tab_title: TextProp = if cfg!(feature = "ssr") {
        html_escape::encode_text(&tab_title()).into_owned().into()
    } else {
        tab_title.into()
    };
    let text_to_edit = RwSignal::new(None);
    let on_edit = Callback::new(move |text| text_to_edit.set(Some(text)));
    view! {
        <Title text=tab_title/>
        <div
            class="page image-page"
            on:mouseover=move |ev| places.on_point(&ev)
            on:focusin=move |ev| places.on_point(&ev)
        >
            <header class="header">
                <Brand/>
                <NewPicture/>
                <People live/>
                <ConnectionStatus connection=live.connection/>
                <ShareButton short_id/>
            </header>
            <Main class="image">
                <h1 class="visually-hidden">{title}</h1>
                <ImageStage image=upload.content local_file live/>
                <section class="panel" aria-label=texts().conversation>
                    <MessageList short_id live on_edit/>
                    <Composer short_id live text_to_edit/>
                </section>
            </Main>
            <Footer/>
            <UploadOffer max_bytes=max_upload_bytes/>
        </div>
    }
}
