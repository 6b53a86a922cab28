use leptos::prelude::*;

use super::rejected_field::RejectedField;
use crate::components::{Brand, Main};
use crate::model::{
    BlockedAddress, ListedUpload, LogEntry, LogPage, Message, Seq, Timestamp, Upload, UploadId,
};
use crate::texts::{fill, server_texts, size, texts};

/// How many bytes uploads take, and further ones may take at this node.
#[derive(Debug, Clone, Copy)]
pub struct StorageUse {
    /// What all uploads take; `None` while it is not known.
    pub stored: Option<u64>,
    /// What further ones may take; `None` if nothing limits that.
    pub left: Option<u64>,
}

/// A page of who runs the server. They work without scripts.
#[derive(Debug, Clone)]
pub enum AdminPage {
    /// The form that asks for the token.
    SignIn {
        /// Whether a wrong one was given.
        is_wrong: bool,
    },
    /// Uploads, the newest first.
    Uploads {
        /// Only those with reports.
        is_reported: bool,
        /// Those of this page.
        uploads: Vec<ListedUpload>,
        /// Where the next page begins, if there is one.
        next: Option<UploadId>,
        /// How much uploads take, and may take.
        storage: StorageUse,
    },
    /// An upload with its conversation.
    Upload {
        /// The upload, with its reports.
        upload: Box<ListedUpload>,
        /// A part of its log.
        log: LogPage,
    },
    /// The addresses that are blocked.
    Addresses {
        /// Those that are.
        blocked: Vec<BlockedAddress>,
        /// What was not accepted, if a form was sent.
        refused: Option<RejectedField>,
    },
}

impl AdminPage {
    pub(crate) fn view(self) -> AnyView {
        match self {
            Self::SignIn { is_wrong } => sign_in(is_wrong).into_any(),
            Self::Uploads {
                is_reported,
                uploads,
                next,
                storage,
            } => list(is_reported, uploads, next, storage).into_any(),
            Self::Upload { upload, log } => conversation(*upload, log).into_any(),
            Self::Addresses { blocked, refused } => addresses(blocked, refused).into_any(),
        }
    }
}

fn sign_in(is_wrong: bool) -> impl IntoView {
    let texts = server_texts();
    let error =
        is_wrong.then(|| view! { <p class="form-error" role="alert">{texts.wrong_token}</p> });
    view! {
        <div class="page">
            <header class="header"><Brand/></header>
            <Main class="notice">
                <h1>{texts.moderation}</h1>
                {error}
                <form class="plain-form" method="post" action="/admin/sign-in">
                    <label>
                        {texts.admin_token}
                        <input type="password" name="token" autocomplete="current-password" required/>
                    </label>
                    <button class="button primary" type="submit">{texts.sign_in}</button>
                </form>
            </Main>
        </div>
    }
}

/// The frame of all pages of who is signed in. `here` is the address that the page was reached by.
fn page(here: &'static str, content: impl IntoView + 'static) -> impl IntoView {
    let texts = server_texts();
    let link = move |address: &'static str, text: &'static str| {
        let current = (address == here).then_some("page");
        view! { <a href=address aria-current=current>{text}</a> }
    };
    view! {
        <div class="page">
            <header class="header">
                <Brand/>
                <nav class="admin-nav" aria-label=texts.moderation>
                    {link(REPORTED, texts.reported)}
                    {link(ALL, texts.all_pictures)}
                    {link(ADDRESSES, texts.blocked_addresses)}
                </nav>
                <form method="post" action="/admin/sign-out">
                    <button class="text-button" type="submit">{texts.sign_out}</button>
                </form>
            </header>
            <Main class="admin">{content.into_any()}</Main>
        </div>
    }
}

const REPORTED: &str = "/admin";
const ALL: &str = "/admin?all=1";
const ADDRESSES: &str = "/admin/addresses";

fn list(
    is_reported: bool,
    uploads: Vec<ListedUpload>,
    next: Option<UploadId>,
    storage: StorageUse,
) -> impl IntoView {
    let texts = server_texts();
    let stored = storage.stored.map(|bytes| {
        let stored = size(bytes, self::texts());
        view! { <p>{fill(texts.stored, &[("size", &stored)])}</p> }
    });
    let left = storage.left.map(|bytes| {
        let left = size(bytes, self::texts());
        view! { <p>{fill(texts.storage_left, &[("size", &left)])}</p> }
    });
    let (here, title, none) = if is_reported {
        (REPORTED, texts.reported, texts.nothing_reported)
    } else {
        (ALL, texts.all_pictures, texts.no_pictures)
    };
    let none = uploads.is_empty().then(|| view! { <p>{none}</p> });
    let older = next.map(|next| {
        let separator = if is_reported { '?' } else { '&' };
        let address = format!("{here}{separator}before={next}");
        view! { <p><a class="button" href=address>{texts.older}</a></p> }
    });
    let uploads = uploads.into_iter().map(|listed| {
        let address = format!("/admin/uploads/{}", listed.upload.short_id);
        let conversation = view! { <p><a href=address>{self::texts().conversation}</a></p> };
        view! { <li>{summary(listed, Some(conversation))}</li> }
    });
    let content = view! {
        <h1>{title}</h1>
        {stored} {left}
        {none}
        <ul class="admin-uploads">{uploads.collect_view()}</ul>
        {older}
    };
    page(here, content)
}

/// A time to the minute. The zone of who reads it is not known without scripts.
fn time(at: Timestamp) -> impl IntoView {
    view! { <time datetime=at.to_string()>{minute(at)}</time> }
}

fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    let minute = text.get(..16).unwrap_or_default();
    format!("{} UTC", minute.replace('T', " "))
}

/// A small picture of an upload, its reports, what can be done, and what else belongs there.
fn summary(listed: ListedUpload, more: Option<impl IntoView>) -> impl IntoView {
    let texts = server_texts();
    let ListedUpload { upload, reports } = listed;
    let Upload {
        short_id,
        content,
        created_at,
        ..
    } = upload;
    let actions = format!("/admin/uploads/{short_id}");
    let dismiss = (!reports.is_empty()).then(|| {
        let address = format!("{actions}/dismiss");
        view! {
            <form method="post" action=address>
                <button class="button" type="submit">{texts.dismiss_reports}</button>
            </form>
        }
    });
    let reports = reports.into_iter().map(|report| {
        view! {
            <li>
                {time(report.created_at)}
                // A long text scrolls, also by keys.
                <p dir="auto" tabindex="0">{report.reason.to_string()}</p>
            </li>
        }
    });
    view! {
        <div class="admin-upload">
            <img
                src=format!("{}?w=640", content.url)
                width=content.width.to_string()
                height=content.height.to_string()
                loading="lazy"
                alt=""
            />
            <div>
                <p>
                    <a href=format!("/u/{short_id}") dir="ltr">{format!("/u/{short_id}")}</a>
                    " "
                    {time(created_at)}
                </p>
                {more}
                <ul class="admin-reports">{reports.collect_view()}</ul>
                {dismiss}
                // Opened first, so that one wrong tap removes nothing.
                <details>
                    <summary>{texts.remove}</summary>
                    <form method="post" action=format!("{actions}/remove")>
                        <button class="button" type="submit">{texts.remove_picture}</button>
                        <button class="button" type="submit" name="block" value="1">
                            {texts.remove_and_block}
                        </button>
                    </form>
                </details>
            </div>
        </div>
    }
}

fn conversation(listed: ListedUpload, log: LogPage) -> impl IntoView {
    let texts = server_texts();
    let short_id = listed.upload.short_id;
    let first = log.entries.first().map(LogEntry::seq);
    let older = first.filter(|first| *first > Seq::new(1)).map(|first| {
        let address = format!("/admin/uploads/{short_id}?before={first}");
        view! { <p><a class="button" href=address>{texts.older}</a></p> }
    });
    let messages = log.entries.into_iter().filter_map(|entry| match entry {
        LogEntry::Message(message) => Some(message_row(&short_id.to_string(), &message)),
        LogEntry::DeletedMessage(_) | LogEntry::Deletion(_) => None,
    });
    let content = view! {
        <h1>{self::texts().conversation}</h1>
        {summary(listed, None::<()>)}
        {older}
        <ul class="admin-messages">{messages.collect_view()}</ul>
    };
    page("", content)
}

fn message_row(short_id: &str, message: &Message) -> impl IntoView + use<> {
    let address = format!(
        "/admin/uploads/{short_id}/messages/{}/remove?id={}",
        message.seq, message.id
    );
    view! {
        <li>
            <p>
                <b dir="auto">{message.author_name.to_string()}</b>
                " "
                {time(message.created_at)}
            </p>
            <p class="admin-text" dir="auto" tabindex="0">{message.content.to_string()}</p>
            <details>
                <summary>{server_texts().remove}</summary>
                <form method="post" action=address>
                    <button class="button" type="submit">{server_texts().remove_message}</button>
                </form>
            </details>
        </li>
    }
}

fn addresses(blocked: Vec<BlockedAddress>, refused: Option<RejectedField>) -> impl IntoView {
    let texts = server_texts();
    let (written, error) = refused.map(|it| (it.written, it.reason)).unzip();
    let error = error.map(|error| view! { <p class="form-error" role="alert">{error}</p> });
    let none = blocked
        .is_empty()
        .then(|| view! { <p>{texts.no_address_blocked}</p> });
    let durations = [
        (3_600, texts.for_an_hour),
        (86_400, self::texts().for_a_day),
        (7 * 86_400, self::texts().for_a_week),
        (30 * 86_400, self::texts().for_a_month),
    ];
    let durations = durations.map(|(seconds, text)| {
        let is_chosen = seconds == 86_400;
        view! { <option value=seconds.to_string() selected=is_chosen>{text}</option> }
    });
    let rows = blocked.into_iter().map(|it| {
        view! {
            <li>
                <code>{it.address.to_string()}</code>
                " "
                {fill(texts.blocked_until, &[("time", &minute(it.until))])}
                <form method="post" action="/admin/addresses/unblock">
                    <input type="hidden" name="address" value=it.address.to_string()/>
                    <button class="text-button" type="submit">{texts.unblock}</button>
                </form>
            </li>
        }
    });
    let content = view! {
        <h1>{texts.blocked_addresses}</h1>
        {error}
        <form class="plain-form" method="post" action="/admin/addresses/block">
            <label>{texts.address} <input name="address" value=written required autocomplete="off"/></label>
            <label>{texts.block_for} <select name="seconds">{durations}</select></label>
            <button class="button primary" type="submit">{texts.block}</button>
        </form>
        {none}
        <ul class="admin-addresses">{rows.collect_view()}</ul>
    };
    page(ADDRESSES, content)
}
