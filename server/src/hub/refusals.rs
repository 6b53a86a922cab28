//! The refusals that clients get.

use app::event::{CommandName, MAX_WATCHED_UPLOADS, Refusal, RefusalCode, ServerEvent};
use app::model::UploadId;

use super::frames::encode;
use crate::broker::Frame;

/// Encodes the notice that a watch is interrupted for now.
pub(super) fn unavailable(topic: UploadId) -> Frame {
    let refusal = refusal(
        CommandName::Watch,
        topic.to_string(),
        RefusalCode::Unavailable,
    );
    encode(&ServerEvent::Refused(refusal))
}

/// Encodes the notice that an upload is gone.
pub(super) fn gone(upload_id: UploadId) -> Frame {
    encode(&ServerEvent::UploadDeleted { upload_id })
}

/// Creates the refusal of a command, with a sentence for `code`.
pub(super) fn refusal(command: CommandName, upload_id: String, code: RefusalCode) -> Refusal {
    let detail = match code {
        RefusalCode::NotFound => "There is no such upload.".to_owned(),
        RefusalCode::Gone => "The upload was deleted or has expired.".to_owned(),
        RefusalCode::TooManyWatched => {
            format!("A socket watches at most {MAX_WATCHED_UPLOADS} uploads.")
        }
        RefusalCode::NotWatched => "This socket does not watch that upload.".to_owned(),
        RefusalCode::InvalidField => "A field is out of bounds.".to_owned(),
        RefusalCode::TooManyWatches => "Too many watches: slow down.".to_owned(),
        RefusalCode::TooManyTouches => "Too many touches: slow down.".to_owned(),
        RefusalCode::Unavailable => {
            "This is not possible right now. Try again in a few seconds.".to_owned()
        }
    };
    Refusal {
        command,
        upload_id,
        code,
        detail,
    }
}
