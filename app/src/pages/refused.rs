use leptos::prelude::*;

use crate::components::{Footer, Header, Main, Notice};
use crate::model::UploadRef;
use crate::problem::Problem;
use crate::texts::{server_texts, texts};

/// A message as a plain form sent it, with the id that makes it one message however often it is sent.
#[derive(Debug, Clone)]
pub struct MessageForm {
    /// The image.
    pub upload: UploadRef,
    /// The field `authorName`.
    pub author_name: String,
    /// The field `content`.
    pub content: String,
    /// The field `clientMessageID`.
    pub client_message_id: String,
}

/// Shown when a form was not accepted, in browsers without scripts. That of a message comes back with its texts.
#[component]
pub fn Refused(
    problem: Problem,
    /// The language of the problem's detail, if it is another than the page's.
    detail_lang: Option<&'static str>,
    form: Option<MessageForm>,
) -> AnyView {
    let Problem { title, detail, .. } = problem;
    match form {
        Some(form) => view! {
            <div class="page">
                <Header/>
                <Main class="notice refused">
                    <h1>{title}</h1>
                    <p lang=detail_lang>{detail}</p>
                    <RefusedMessage form/>
                </Main>
                <Footer/>
            </div>
        }
        .into_any(),
        None => view! {
            <Notice
                mark="!"
                title
                detail
                detail_lang
                label=server_texts().back_to_start
                href="/"
            />
        }
        .into_any(),
    }
}

#[component]
fn RefusedMessage(form: MessageForm) -> impl IntoView {
    let image = format!("/u/{}", form.upload);
    let address = format!("{image}/messages");
    // Leptos does not escape the text of this element.
    let content = html_escape::encode_text(&form.content).into_owned();
    view! {
        <form class="plain-form" method="post" action=address>
            <input type="hidden" name="clientMessageID" value=form.client_message_id/>
            <label>{texts().writing_as} " " <input name="authorName" value=form.author_name autocomplete="nickname"/></label>
            <label>
                {texts().message} " " <textarea name="content" rows="6" dir="auto" required>{content}</textarea>
            </label>
            <button class="button primary" type="submit">{texts().send}</button>
            <a class="button" href=image>{server_texts().back_to_image}</a>
        </form>
    }
}
