//! Why a call of the HTTP API brought nothing.

use thiserror::Error;

use crate::page_data::PageError;
use crate::problem::Problem;

/// Why a call of the HTTP API brought nothing, as a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApiFailure {
    /// No answer came.
    #[error("The server cannot be reached.")]
    Unreachable,
    /// None came in time; the call may have been done all the same.
    #[error("The server took too long to answer.")]
    TimedOut,
    /// It was not done, and the server says why.
    #[error("{}", .0.detail)]
    Refused(Problem),
    /// Something else was answered, with this HTTP status.
    #[error("{}", sentence(*.0))]
    Unexplained(u16),
}

impl ApiFailure {
    /// Whether the same call may succeed later.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable | Self::TimedOut => true,
            Self::Refused(problem) => problem.is_temporary(),
            Self::Unexplained(status) => matches!(*status, ..400 | 408 | 429 | 500..),
        }
    }

    /// Reads the answer to a call.
    ///
    /// # Errors
    /// What went wrong, when it is not a `T`.
    pub fn read<T: serde::de::DeserializeOwned>(status: u16, body: &str) -> Result<T, Self> {
        if (200..300).contains(&status) {
            serde_json::from_str(body).map_err(|_| Self::Unexplained(status))
        } else {
            Err(serde_json::from_str(body).map_or(Self::Unexplained(status), Self::Refused))
        }
    }
}

impl From<ApiFailure> for PageError {
    fn from(failure: ApiFailure) -> Self {
        match failure {
            ApiFailure::Refused(Problem { status: 404, .. }) | ApiFailure::Unexplained(404) => {
                Self::NotFound
            }
            _ => Self::Unavailable,
        }
    }
}

fn sentence(status: u16) -> &'static str {
    match status {
        429 => "That was too much at once. Wait a moment.",
        400..=499 => "The server refused it.",
        _ => "The server has trouble. Wait a moment.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> ApiFailure {
        ApiFailure::read::<u64>(status, body).unwrap_err()
    }

    fn problem(status: u16) -> String {
        format!(
            r#"{{"type":"/problems/x","title":"X","status":{status},"detail":"Because of x."}}"#
        )
    }

    #[test]
    fn an_answer_is_read() {
        assert_eq!(ApiFailure::read::<u64>(201, "7"), Ok(7));
    }

    #[test]
    fn the_servers_own_sentence_counts() {
        assert_eq!(read(422, &problem(422)).to_string(), "Because of x.");
        assert_eq!(read(429, &problem(429)).to_string(), "Because of x.");
    }

    #[test]
    fn without_one_there_is_still_a_sentence() {
        assert_eq!(
            read(429, "").to_string(),
            "That was too much at once. Wait a moment."
        );
        assert_eq!(
            read(502, "<html>").to_string(),
            "The server has trouble. Wait a moment."
        );
        assert_eq!(read(403, "{}").to_string(), "The server refused it.");
        assert_eq!(
            read(200, "<html>").to_string(),
            "The server has trouble. Wait a moment."
        );
    }

    #[test]
    fn only_what_may_pass_can_be_retried() {
        for status in [408, 429, 500, 502, 503] {
            assert!(read(status, "").is_passing(), "{status}");
            assert!(read(status, &problem(status)).is_passing(), "{status}");
        }
        for status in [400, 403, 404, 413, 422] {
            assert!(!read(status, "").is_passing(), "{status}");
            assert!(!read(status, &problem(status)).is_passing(), "{status}");
        }
        assert!(ApiFailure::Unreachable.is_passing());
        assert!(ApiFailure::TimedOut.is_passing());
    }
}
