//! Reads the data of an upload's page.

use app::model::{LogEntry, Seq, ShortId, Upload, UploadId, UploadPage, UploadRef};
use app::page_data::PageError;
use futures::future::join;

use super::rendered::{LoadedPage, LogEnd};
use crate::http::deadline::Deadline;
use crate::http::error::ApiError;
use crate::http::pictures::placeholder::Placeholder;
use crate::http::state::AppState;
use crate::store::Select;

/// How many entries of its log a page has at first.
const FIRST_ENTRIES: usize = 50;
/// An estimate of the size of the longest page, in bytes: it contains its messages twice, each of 2,000 characters of
/// four bytes.
pub(super) const MAX_PAGE_BYTES: usize = 2 * FIRST_ENTRIES * (8 * 1024 + 512);

/// Reads an upload, its newest messages and its placeholder.
pub(super) async fn upload_page(
    state: &AppState,
    deadline: Deadline,
    short_id: ShortId,
) -> Result<LoadedPage, PageError> {
    let upload = state.store.upload(UploadRef::Short(short_id));
    let upload = deadline.wait("store", upload).await.map_err(page_error)?;
    with_messages(state, deadline, upload, Placeholder::Expected).await
}

/// Reads the newest messages of this upload, and its placeholder unless it is known.
pub(super) async fn with_messages(
    state: &AppState,
    deadline: Deadline,
    upload: Upload,
    known: Placeholder,
) -> Result<LoadedPage, PageError> {
    let placeholder = async {
        match known {
            known @ Placeholder::Picture(_) => known,
            // An error may have been the reason for none.
            Placeholder::Expected | Placeholder::None => state.pictures.placeholder(&upload).await,
        }
    };
    let page = newest_messages(state, deadline, upload.clone());
    let (page, placeholder) = join(page, placeholder).await;
    Ok(LoadedPage {
        page: page?,
        placeholder,
    })
}

async fn newest_messages(
    state: &AppState,
    deadline: Deadline,
    upload: Upload,
) -> Result<UploadPage, PageError> {
    let store = &state.store;
    let page = store.entries(upload.id, Select::Newest, FIRST_ENTRIES);
    let page = deadline.wait("store", page).await.map_err(page_error)?;
    let first = match page.entries.first() {
        Some(oldest) if oldest.seq() > Seq::new(1) => {
            let first = store.entries(upload.id, Select::After(Seq::ZERO), 1);
            let first = deadline.wait("store", first).await.map_err(page_error)?;
            first.entries.into_iter().next()
        }
        oldest => oldest.cloned(),
    };
    let first = first.as_ref().and_then(LogEntry::message);
    let first = first.map(|message| message.content.clone());
    Ok(UploadPage {
        upload,
        page,
        first,
    })
}

/// Reads the end of an upload's log.
pub(super) async fn log_end(
    state: &AppState,
    deadline: Deadline,
    upload: UploadId,
) -> Result<LogEnd, PageError> {
    let page = state.store.entries(upload, Select::Newest, 1);
    let page = deadline.wait("store", page).await.map_err(page_error)?;
    Ok(LogEnd::from(&page))
}

fn page_error(error: ApiError) -> PageError {
    match error {
        ApiError::NotFound => PageError::NotFound,
        ApiError::Gone => PageError::Gone,
        _ => PageError::Unavailable,
    }
}
