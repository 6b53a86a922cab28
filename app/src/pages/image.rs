use leptos::prelude::*;
use leptos::text_prop::TextProp;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::deleted::DeletedPicture;
use super::failures::{Gone, Loading, NotFound, Unavailable};
use crate::browser::Hydrated;
use crate::browser::clock::Zone;
use crate::components::{
    Brand, Composer, ConnectionStatus, Footer, ImageStage, Main, MessageList, NewPicture, People,
    PictureDeletion, PictureDeletions, Places, ShareButton, UploadOffer, add_from_form,
    count_unread, expiry_date, image_title, is_owned,
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
    let deletions = PictureDeletions::expect();
    let deleted = Memo::new(move |_| {
        let short_id = short_id()?;
        let deletion = deletions.get(short_id)?;
        deletion.is_shown().then_some((short_id, deletion))
    });
    let page = move || {
        let deleted = deleted.get();
        let error = missing.get().filter(|it| short_id() == Some(it.0));
        Suspend::new(async move {
            match deleted {
                Some((_, PictureDeletion::Done)) => return erase(Gone()),
                Some((short_id, deletion)) => {
                    return erase(view! { <DeletedPicture short_id deletion deletions/> });
                }
                None => {}
            }
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
    let short_id = upload.short_id;
    let is_owner = RwSignal::new(false);
    effect({
        let upload = upload.clone();
        move || {
            add_from_form(&upload);
            is_owner.set(is_owned(short_id));
        }
    });
    let is_owner = is_owner.read_only();
    let deletions = PictureDeletions::expect();
    on_cleanup(move || deletions.forget_failure(short_id));
    effect(move || live.enter());
    on_cleanup(move || live.leave());
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
    let header = erase(view! {
        <header class="header">
            <Brand/>
            <NewPicture/>
            <People live/>
            {expiry_date(upload.expires_at)}
            <ConnectionStatus connection=live.connection/>
            <ShareButton short_id expires_at=upload.expires_at is_owner/>
        </header>
        <NotDeleted short_id deletions/>
    });
    view! {
        <Title text=tab_title/>
        <div
            class="page image-page"
            on:mouseover=move |ev| places.on_point(&ev)
            on:focusin=move |ev| places.on_point(&ev)
        >
            {header}
            <Main class="image">
                <h1 class="visually-hidden">{title}</h1>
                <ImageStage image=upload.content local_file live/>
                <section class="panel" aria-label=texts().conversation>
                    <MessageList short_id live is_owner on_edit/>
                    <Composer short_id live text_to_edit/>
                </section>
            </Main>
            <Footer picture=short_id/>
            <UploadOffer max_bytes=max_upload_bytes/>
        </div>
    }
}

/// Why the picture was not deleted.
#[component]
fn NotDeleted(short_id: ShortId, deletions: PictureDeletions) -> impl IntoView {
    let reason = move || match deletions.get(short_id) {
        Some(PictureDeletion::Failed(reason)) => Some(reason),
        _ => None,
    };
    view! {
        <div class="page-note" role="alert" hidden=move || reason().is_none()>
            <p>{reason}</p>
            <button
                class="text-button"
                r#type="button"
                on:click=move |_| deletions.delete(short_id)
            >
                {texts().try_again}
            </button>
            <button
                class="text-button"
                r#type="button"
                on:click=move |_| deletions.forget_failure(short_id)
            >
                {texts().close}
            </button>
        </div>
    }
}
