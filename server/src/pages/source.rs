use app::model::{ShortId, UploadPage, UploadRef};
use app::source::{PageError, PageSource};
use async_trait::async_trait;

use crate::deadline::Deadline;
use crate::problem::ApiError;
use crate::state::AppState;
use crate::store::Select;

/// How many messages a page shows at first.
const FIRST_MESSAGES: usize = 50;

/// What pages show, read from the node's store.
pub(super) struct NodeSource(pub AppState);

impl NodeSource {
    async fn read(&self, short_id: ShortId) -> Result<UploadPage, ApiError> {
        let store = &self.0.backends.store;
        let deadline = Deadline::start();
        let upload = store.upload(UploadRef::Short(short_id));
        let upload = deadline.wait("store", upload).await?;
        let page = store.messages(upload.id, Select::Newest, FIRST_MESSAGES);
        let page = deadline.wait("store", page).await?;
        Ok(UploadPage { upload, page })
    }
}

#[async_trait]
impl PageSource for NodeSource {
    async fn upload_page(&self, short_id: ShortId) -> Result<UploadPage, PageError> {
        self.read(short_id).await.map_err(|error| match error {
            ApiError::NotFound => PageError::NotFound,
            _ => PageError::Unavailable,
        })
    }
}
