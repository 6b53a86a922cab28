use leptos::prelude::*;

use super::rejected_field::RejectedField;
use crate::components::{Footer, Header, Main};
use crate::model::{MAX_REASON_CHARS, ShortId};
use crate::texts::server_texts;

/// The form to report a picture to whoever runs the server. It works without scripts.
#[derive(Debug, Clone)]
pub struct ReportForm {
    /// The picture.
    pub picture: ShortId,
    /// The reason that was not accepted, if one was sent.
    pub refused: Option<RejectedField>,
    /// Whether a report was just sent.
    pub is_sent: bool,
}

impl ReportForm {
    pub(crate) fn view(self) -> impl IntoView {
        let image = format!("/u/{}", self.picture);
        let content = if self.is_sent {
            sent(image).into_any()
        } else {
            form(image, self.refused).into_any()
        };
        view! {
            <div class="page">
                <Header/>
                <Main class="notice">
                    {content}
                </Main>
                <Footer/>
            </div>
        }
    }
}

fn sent(image: String) -> impl IntoView {
    view! {
        <h1>{server_texts().reported_title}</h1>
        <p role="status">{server_texts().reported_detail}</p>
        <p>{back(image)}</p>
    }
}

fn form(image: String, refused: Option<RejectedField>) -> impl IntoView {
    let (reason, error) = refused.map(|it| (it.written, it.reason)).unzip();
    // Leptos does not escape the text of this element.
    let reason = html_escape::encode_text(&reason.unwrap_or_default()).into_owned();
    let action = format!("{image}/report");
    view! {
        <h1>{server_texts().report_picture}</h1>
        <p>{server_texts().report_explained}</p>
        {error.map(|error| view! { <p class="form-error" role="alert">{error}</p> })}
        <form class="plain-form" method="post" action=action>
            <label>
                {server_texts().report_reason}
                <textarea name="reason" rows="6" dir="auto" required maxlength=MAX_REASON_CHARS.to_string()>{reason}</textarea>
            </label>
            <p class="buttons">
                <button class="button primary" type="submit">{server_texts().send_report}</button>
                {back(image)}
            </p>
        </form>
    }
}

fn back(image: String) -> impl IntoView {
    view! { <a class="button" href=image>{server_texts().back_to_image}</a> }
}
