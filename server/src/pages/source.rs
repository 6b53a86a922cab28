use app::model::{ShortId, UploadPage, UploadRef};
use app::source::PageError;

use crate::deadline::Deadline;
use crate::problem::ApiError;
use crate::state::Node;
use crate::store::Select;

/// How many messages a page shows at first.
const FIRST_MESSAGES: usize = 50;

/// What an upload's page shows, read from the node's store.
pub(super) async fn upload_page(node: &Node, short_id: ShortId) -> Result<UploadPage, PageError> {
    read(node, short_id).await.map_err(|error| match error {
        ApiError::NotFound => PageError::NotFound,
        _ => PageError::Unavailable,
    })
}

async fn read(node: &Node, short_id: ShortId) -> Result<UploadPage, ApiError> {
    let store = &node.backends.store;
    let deadline = Deadline::start();
    let upload = store.upload(UploadRef::Short(short_id));
    let upload = deadline.wait("store", upload).await?;
    let page = store.messages(upload.id, Select::Newest, FIRST_MESSAGES);
    let page = deadline.wait("store", page).await?;
    Ok(UploadPage { upload, page })
}
