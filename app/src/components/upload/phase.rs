/// How far the reader got with a picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Nothing is chosen.
    Idle,
    /// The file is on its way.
    Sending(Sending),
    /// It was not taken.
    Refused {
        /// Why, in a sentence.
        reason: String,
        /// Whether sending the same file again can help.
        retry: bool,
    },
}

/// A picture on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Sending {
    /// Its name.
    pub name: String,
    /// The address of the local file, to be shown at once.
    pub preview: String,
    /// What else is to be said, as that other files were left out.
    pub note: Option<&'static str>,
}

/// What is said of a transfer of which this part, 0 to 1, is sent.
pub fn progress_label(sent: f64) -> String {
    if sent >= 1.0 {
        "Checking the picture…".to_owned()
    } else {
        format!("Uploading, {:.0} %", (sent * 100.0).floor())
    }
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
