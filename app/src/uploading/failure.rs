use thiserror::Error;

use crate::model::Upload;
use crate::problem::Problem;
use crate::texts::{fill, size, texts};

/// Why an image was not uploaded, as a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UploadFailure {
    /// The person stopped it.
    #[error("{}", texts().upload_cancelled)]
    Cancelled,
    /// The connection was lost, or there was no progress for a minute.
    #[error("{}", texts().upload_lost)]
    Network,
    /// The file is larger than the server accepts.
    #[error("{}", too_large(*.max_bytes))]
    TooLarge {
        /// The server's limit, in bytes.
        max_bytes: u64,
    },
    /// The server refused it with a reason.
    #[error("{}", .0.detail)]
    Refused(Problem),
    /// The server, or a proxy before it, failed without a reason.
    #[error("{}", texts().upload_unavailable)]
    Unavailable,
}

impl UploadFailure {
    /// Whether sending the same file again may succeed.
    pub const fn can_retry(&self) -> bool {
        match self {
            Self::Cancelled | Self::Network | Self::Unavailable => true,
            Self::TooLarge { .. } => false,
            Self::Refused(problem) => problem.is_temporary(),
        }
    }
}

fn too_large(max_bytes: u64) -> String {
    let max = size(max_bytes, texts());
    fill(texts().upload_too_large, &[("max", &max)])
}

/// Parses the server's response to an upload.
pub(super) fn parse_response(
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
    fn the_servers_reason_is_shown() {
        let failure = parse_response(415, &problem(415), MAX).unwrap_err();
        assert_eq!(failure.to_string(), "Because of x.");
        assert!(!failure.can_retry());
    }

    #[test]
    fn a_temporary_refusal_can_be_retried() {
        for status in [429, 500, 503] {
            assert!(
                parse_response(status, &problem(status), MAX)
                    .unwrap_err()
                    .can_retry()
            );
        }
    }

    #[test]
    fn a_response_without_a_problem_still_gives_a_sentence() {
        let proxy = "<html>413 Request Entity Too Large</html>";
        let failure = parse_response(413, proxy, MAX).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "The picture is too large: at most 20\u{a0}MB are allowed."
        );
        assert_eq!(
            parse_response(502, "", MAX),
            Err(UploadFailure::Unavailable)
        );
        assert_eq!(
            parse_response(200, "<html>", MAX),
            Err(UploadFailure::Unavailable)
        );
    }
}
