use crate::browser::object_url::ObjectUrl;
use crate::model::ShortId;

/// How far the reader got with a picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Nothing is chosen.
    Idle,
    /// The file is on its way.
    Sending(Sending),
    /// It is there, and its page comes next.
    Done(ShortId),
    /// It was not taken.
    Refused {
        /// Why, in a sentence.
        reason: String,
        /// Whether sending the same file again can help.
        retry: bool,
    },
}

impl Phase {
    /// The picture on its way.
    pub fn sending(&self) -> Option<&Sending> {
        match self {
            Self::Sending(sending) => Some(sending),
            Self::Idle | Self::Done(_) | Self::Refused { .. } => None,
        }
    }

    /// What the picture that is there is called in links.
    pub fn done(&self) -> Option<ShortId> {
        match self {
            Self::Done(short_id) => Some(*short_id),
            Self::Idle | Self::Sending(_) | Self::Refused { .. } => None,
        }
    }

    /// Why it was not taken; empty when it was not refused.
    pub fn reason(&self) -> &str {
        match self {
            Self::Refused { reason, .. } => reason,
            Self::Idle | Self::Sending(_) | Self::Done(_) => "",
        }
    }

    /// Whether the same file can be sent again.
    pub fn can_retry(&self) -> bool {
        matches!(self, Self::Refused { retry: true, .. })
    }
}

/// A picture on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Sending {
    /// Its name.
    pub name: String,
    /// The local file, to be shown at once.
    pub preview: ObjectUrl,
    /// What else is to be said, as that other files were left out.
    pub note: Option<&'static str>,
}

/// What is said of a transfer of which this part, 0 to 1, is sent.
pub fn progress_label(sent: f64) -> String {
    if sent >= 1.0 {
        "Checking the picture…".to_owned()
    } else {
        format!("Uploading, {} %", percent(sent))
    }
}

/// The part as whole hundredths, rounded down.
pub fn percent(part: f64) -> u8 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0 to 100"
    )]
    let percent = (part * 100.0).clamp(0.0, 100.0) as u8;
    percent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_sending_is_not_yet_the_end() {
        assert_eq!(progress_label(0.0), "Uploading, 0 %");
        assert_eq!(progress_label(0.999), "Uploading, 99 %");
        assert_eq!(progress_label(1.0), "Checking the picture…");
    }
}
