use app::model::{Seq, ShortId, UploadId, UploadPage, UploadRef};
use app::source::PageError;

use crate::deadline::Deadline;
use crate::problem::ApiError;
use crate::state::Node;
use crate::store::Select;

/// How many messages a page shows at first.
const FIRST_MESSAGES: usize = 50;

/// What an upload's page shows, read from the node's store.
pub(super) async fn upload_page(
    node: &Node,
    deadline: Deadline,
    short_id: ShortId,
) -> Result<UploadPage, PageError> {
    read(node, deadline, short_id).await.map_err(told)
}

/// How far a conversation has come, by the node's store.
pub(super) async fn head(
    node: &Node,
    deadline: Deadline,
    upload: UploadId,
) -> Result<Seq, PageError> {
    let page = node.backends.store.messages(upload, Select::Newest, 0);
    let page = deadline.wait("store", page).await.map_err(told)?;
    Ok(page.head)
}

async fn read(node: &Node, deadline: Deadline, short_id: ShortId) -> Result<UploadPage, ApiError> {
    let store = &node.backends.store;
    let upload = store.upload(UploadRef::Short(short_id));
    let upload = deadline.wait("store", upload).await?;
    let page = store.messages(upload.id, Select::Newest, FIRST_MESSAGES);
    let page = deadline.wait("store", page).await?;
    Ok(UploadPage { upload, page })
}

fn told(error: ApiError) -> PageError {
    match error {
        ApiError::NotFound => PageError::NotFound,
        _ => PageError::Unavailable,
    }
}
