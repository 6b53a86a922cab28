use leptos::html::Button;
use leptos::prelude::*;
use leptos_meta::Title;

use super::failures::tab_title;
use crate::browser::focus;
use crate::components::{Header, Main, PictureDeletion, PictureDeletions};
use crate::erased::effect;
use crate::model::ShortId;
use crate::texts::texts;

/// In the place of the page of a picture that is being deleted. For a while that can be undone.
#[component]
pub fn DeletedPicture(
    short_id: ShortId,
    deletion: PictureDeletion,
    deletions: PictureDeletions,
) -> impl IntoView {
    // Nobody can undo it on another page.
    on_cleanup(move || deletions.send_now(short_id));
    let undo = NodeRef::<Button>::new();
    effect(move || {
        if let Some(undo) = undo.get() {
            // After the main part has taken the focus.
            request_animation_frame(move || focus(&undo));
        }
    });
    let can_undo = deletion == PictureDeletion::Waiting;
    view! {
        <Title text=tab_title(texts().picture_deleted)/>
        <div class="page">
            <Header/>
            <Main class="notice">
                <h1 id="deleted">{texts().picture_deleted}</h1>
                <p>
                    <button
                        class="button primary"
                        r#type="button"
                        hidden=!can_undo
                        aria-describedby="deleted"
                        node_ref=undo
                        on:click=move |_| deletions.undo(short_id)
                    >
                        {texts().undo}
                    </button>
                </p>
            </Main>
        </div>
    }
}
