use crate::browser::object_url::ObjectUrl;
use crate::model::ShortId;
use crate::texts::{fill, texts};

/// The state of the form.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// No file is chosen.
    Idle,
    /// The file is being uploaded, or will be if the person agrees.
    Sending(Sending),
    /// It is uploaded; its page is opened next.
    Done(ShortId),
    /// It was refused, or the upload failed.
    Refused {
        /// Why, in a sentence.
        reason: String,
        /// Whether sending the same file again may succeed.
        retry: bool,
    },
}

impl Phase {
    /// Whether there is something to show besides the form: a file, or a refusal.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Sending(_) | Self::Refused { .. } => true,
            Self::Idle | Self::Done(_) => false,
        }
    }

    /// The image that is being uploaded or offered.
    pub fn sending(&self) -> Option<&Sending> {
        match self {
            Self::Sending(sending) => Some(sending),
            Self::Idle | Self::Done(_) | Self::Refused { .. } => None,
        }
    }

    /// The short id of the uploaded image.
    pub fn done(&self) -> Option<ShortId> {
        match self {
            Self::Done(short_id) => Some(*short_id),
            Self::Idle | Self::Sending(_) | Self::Refused { .. } => None,
        }
    }

    /// Why it failed; empty if it did not.
    pub fn reason(&self) -> &str {
        match self {
            Self::Refused { reason, .. } => reason,
            Self::Idle | Self::Sending(_) | Self::Done(_) => "",
        }
    }

    /// Whether sending the same file again may succeed.
    pub fn can_retry(&self) -> bool {
        matches!(self, Self::Refused { retry: true, .. })
    }
}

/// An image that is being uploaded or offered.
#[derive(Debug, Clone, PartialEq)]
pub struct Sending {
    /// The file's name.
    pub name: String,
    /// The local file, to be shown at once.
    pub preview: ObjectUrl,
    /// Says that other files were left out.
    pub note: Option<String>,
    /// Whether nothing is sent yet: the person is asked first.
    pub offered: bool,
}

/// The state of an upload of which this fraction, 0 to 1, is sent.
pub fn progress_label(sent: f64) -> String {
    if sent >= 1.0 {
        texts().checking.to_owned()
    } else {
        fill(
            texts().uploading,
            &[("percent", &percent(sent).to_string())],
        )
    }
}

/// What screen readers read of it: it changes with every quarter, so that they can read something else too.
pub fn announced_label(sent: f64) -> String {
    progress_label((sent * 4.0).floor() / 4.0)
}

/// The fraction in percent, rounded down.
pub fn percent(fraction: f64) -> u8 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0 to 100"
    )]
    let percent = (fraction * 100.0).clamp(0.0, 100.0) as u8;
    percent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_is_checked_after_it_is_sent() {
        assert_eq!(progress_label(0.0), "Uploading, 0%");
        assert_eq!(progress_label(0.999), "Uploading, 99%");
        assert_eq!(progress_label(1.0), "Checking the picture…");
    }

    #[test]
    fn quarters_are_announced() {
        let announced: Vec<_> = [0.0, 0.24, 0.25, 0.6, 0.999, 1.0]
            .map(announced_label)
            .into();
        let expected = [
            "Uploading, 0%",
            "Uploading, 0%",
            "Uploading, 25%",
            "Uploading, 50%",
            "Uploading, 75%",
            "Checking the picture…",
        ];
        assert_eq!(announced, expected);
    }
}
