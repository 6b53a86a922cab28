use thiserror::Error;

use crate::model::Upload;
use crate::problem::Problem;

/// Why a picture was not uploaded, as a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UploadFailure {
    /// The person stopped it.
    #[error("The upload was cancelled.")]
    Cancelled,
    /// The line broke, or nothing moved for a minute.
    #[error("The connection was lost before the picture had arrived. Try again.")]
    Network,
    /// More bytes than the server takes.
    #[error("The picture is too large: at most {} MiB are allowed.", .max_bytes / (1024 * 1024))]
    TooLarge {
        /// The server's limit, in bytes.
        max_bytes: u64,
    },
    /// The server refused it and says why.
    #[error("{}", .0.detail)]
    Refused(Problem),
    /// The server, or something before it, failed without an explanation.
    #[error("The picture could not be uploaded right now. Try again in a moment.")]
    Unavailable,
}

impl UploadFailure {
    /// Whether the same file may be accepted when it is sent again.
    pub const fn can_retry(&self) -> bool {
        match self {
            Self::Cancelled | Self::Network | Self::Unavailable => true,
            Self::TooLarge { .. } => false,
            Self::Refused(problem) => problem.is_temporary(),
        }
    }
}

/// Reads the server's answer to an upload.
pub(super) fn read_answer(
    status: u16,
    body: &str,
    max_bytes: u64,
) -> Result<Upload, UploadFailure> {
    if (200..300).contains(&status) {
        return serde_json::from_str(body).map_err(|_| UploadFailure::Unavailable);
    }
    match serde_json::from_str::<Problem>(body) {
        Ok(problem) => Err(UploadFailure::Refused(problem)),
        Err(_) if status == 413 => Err(UploadFailure::TooLarge { max_bytes }),
        Err(_) => Err(UploadFailure::Unavailable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u64 = 20 * 1024 * 1024;

    fn problem(status: u16) -> String {
        format!(
            r#"{{"type":"/problems/x","title":"X","status":{status},"detail":"Because of x."}}"#
        )
    }

    #[test]
    fn the_servers_own_sentence_is_shown() {
        let failure = read_answer(415, &problem(415), MAX).unwrap_err();
        assert_eq!(failure.to_string(), "Because of x.");
        assert!(!failure.can_retry());
    }

    #[test]
    fn a_refusal_that_passes_can_be_retried() {
        for status in [429, 500, 503] {
            assert!(
                read_answer(status, &problem(status), MAX)
                    .unwrap_err()
                    .can_retry()
            );
        }
    }

    #[test]
    fn an_answer_without_a_problem_still_gives_a_sentence() {
        let proxy = "<html>413 Request Entity Too Large</html>";
        let failure = read_answer(413, proxy, MAX).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "The picture is too large: at most 20 MiB are allowed."
        );
        assert_eq!(read_answer(502, "", MAX), Err(UploadFailure::Unavailable));
        assert_eq!(
            read_answer(200, "<html>", MAX),
            Err(UploadFailure::Unavailable)
        );
    }
}
