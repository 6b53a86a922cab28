//! Failures of HTTP API calls.

use thiserror::Error;

use crate::problem::Problem;
use crate::texts::{fill, texts};

/// Why a call of the HTTP API failed, as a sentence for readers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApiFailure {
    /// No answer came.
    #[error("{}", texts().server_unreachable)]
    Unreachable,
    /// None came in time; the call may have succeeded all the same.
    #[error("{}", texts().server_slow)]
    TimedOut,
    /// The server refused it and says why.
    #[error("{}", .0.detail)]
    Refused(Problem),
    /// The server refused it for now, with this HTTP status, and may say after how many seconds it will not.
    #[error("{}", sentence(*.status))]
    Busy {
        /// 408, 429 or a server error.
        status: u16,
        /// `Retry-After`, in seconds.
        retry_after: Option<u32>,
    },
    /// Another answer, with this HTTP status.
    #[error("{}", sentence(*.0))]
    Unexplained(u16),
}

impl ApiFailure {
    /// Whether the same call may succeed later.
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable | Self::TimedOut | Self::Busy { .. } => true,
            Self::Refused(_) => false,
            Self::Unexplained(status) => *status < 400,
        }
    }

    /// Reads the answer to a call; `retry_after` is that header's value, if it is a number of seconds.
    ///
    /// # Errors
    /// When the answer is not a `T`.
    pub fn read<T: serde::de::DeserializeOwned>(
        status: u16,
        retry_after: Option<u32>,
        body: &str,
    ) -> Result<T, Self> {
        if (200..300).contains(&status) {
            return serde_json::from_str(body).map_err(|_| Self::Unexplained(status));
        }
        Err(match status {
            408 | 429 | 500.. => Self::Busy {
                status,
                retry_after,
            },
            _ => serde_json::from_str(body).map_or(Self::Unexplained(status), Self::Refused),
        })
    }

    /// What is said until the same call is tried again in so many seconds: it stays true meanwhile.
    pub(super) fn waiting_note(&self, seconds: u32) -> String {
        match self {
            Self::Unreachable | Self::TimedOut => waiting_for_connection(),
            _ => {
                let (reason, seconds) = (self.to_string(), seconds.to_string());
                let parts = [("reason", reason.as_str()), ("seconds", &seconds)];
                fill(texts().trying_again, &parts)
            }
        }
    }
}

/// What is said of a message that waits for the network or the server.
pub(super) fn waiting_for_connection() -> String {
    texts().waiting_for_connection.to_owned()
}

fn sentence(status: u16) -> &'static str {
    let texts = texts();
    match status {
        429 => texts.too_many_messages,
        400..=407 | 409..=499 => texts.server_refused,
        _ => texts.server_trouble,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> ApiFailure {
        ApiFailure::read::<u64>(status, None, body).unwrap_err()
    }

    fn problem(status: u16) -> String {
        format!(
            r#"{{"type":"/problems/x","title":"X","status":{status},"detail":"Because of x."}}"#
        )
    }

    #[test]
    fn an_answer_is_read() {
        assert_eq!(ApiFailure::read::<u64>(201, None, "7"), Ok(7));
    }

    #[test]
    fn the_servers_sentence_is_shown() {
        assert_eq!(read(422, &problem(422)).to_string(), "Because of x.");
    }

    #[test]
    fn other_answers_have_a_sentence_too() {
        assert_eq!(read(429, "").to_string(), "Too many messages.");
        assert_eq!(read(403, "{}").to_string(), "The server refused it.");
        for (status, body) in [(502, "<html>"), (408, ""), (200, "<html>")] {
            assert_eq!(
                read(status, body).to_string(),
                "The server is having trouble."
            );
        }
    }

    #[test]
    fn what_is_tried_again_says_so() {
        let busy = ApiFailure::read::<u64>(429, Some(12), &problem(429)).unwrap_err();
        let note = busy.waiting_note(12);
        assert_eq!(note, "Too many messages. Trying again within 12\u{a0}s");
        let note = ApiFailure::TimedOut.waiting_note(1);
        assert_eq!(note, "Waiting for the connection");
    }

    #[test]
    fn only_temporary_failures_can_be_retried() {
        for status in [408, 429, 500, 502, 503] {
            assert!(read(status, "").is_temporary(), "{status}");
            assert!(read(status, &problem(status)).is_temporary(), "{status}");
        }
        for status in [400, 403, 404, 413, 422] {
            assert!(!read(status, "").is_temporary(), "{status}");
            assert!(!read(status, &problem(status)).is_temporary(), "{status}");
        }
        assert!(ApiFailure::Unreachable.is_temporary());
        assert!(ApiFailure::TimedOut.is_temporary());
    }
}
