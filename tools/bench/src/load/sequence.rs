//! The sequence number that every event carries, wherever a system's frames put it.

use memchr::memmem::Finder;

/// No other number in a frame begins so and is as long.
const MARK: &[u8] = b"0.71";
const DIGITS: usize = 9;

/// A sequence number below 10⁹ as a fraction of fixed length, so that it can be a touch's coordinate or a message's
/// text. It has few enough digits to be the same after it was read as an `f64` and written again, and the last one is
/// not 0, which would be left out.
pub fn text(number: u64) -> String {
    format!("0.71{number:09}7")
}

/// Finds sequence numbers in payloads without reading the JSON around them. Frames of one kind are equally long and
/// have the number at the same position, so the position of the last search is tried first.
#[derive(Debug)]
pub struct SequenceFinder {
    finder: Finder<'static>,
    /// The length of a payload with one number, and the number's position.
    last: Option<(usize, usize)>,
}

impl Default for SequenceFinder {
    fn default() -> Self {
        Self {
            finder: Finder::new(MARK),
            last: None,
        }
    }
}

impl SequenceFinder {
    /// Calls `each` with every number in a payload: none, one, or those of several events that were merged.
    #[inline]
    pub fn each(&mut self, payload: &[u8], mut each: impl FnMut(u64)) {
        if let Some((length, at)) = self.last
            && payload.len() == length
            && let Some(number) = number_at(payload, at)
        {
            each(number);
            return;
        }
        self.search(payload, &mut each);
    }

    fn search(&mut self, payload: &[u8], each: &mut impl FnMut(u64)) {
        let mut found = 0;
        for at in self.finder.find_iter(payload) {
            if let Some(number) = number_at(payload, at) {
                found += 1;
                self.last = (found == 1).then_some((payload.len(), at));
                each(number);
            }
        }
    }
}

#[inline]
fn number_at(payload: &[u8], at: usize) -> Option<u64> {
    let digits = payload.get(at..)?.strip_prefix(MARK)?.get(..DIGITS)?;
    digits.iter().try_fold(0, |number, digit| {
        let value = digit.is_ascii_digit().then(|| digit - b'0')?;
        Some(number * 10 + u64::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_after_it_was_read_and_written() {
        for number in [0, 1, 10, 123_456_789, 999_999_999] {
            let text = text(number);
            assert_eq!(text.parse::<f64>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn events_are_found_one_by_one_merged_and_at_other_positions() {
        let mut finder = SequenceFinder::default();
        let mut numbers = |payload: String| {
            let mut found = Vec::new();
            finder.each(payload.as_bytes(), |number| found.push(number));
            found
        };
        let (one, two) = (text(1), text(43_981));
        assert!(numbers("{}".to_owned()).is_empty());
        for _ in 0..2 {
            assert_eq!(numbers(format!("[{one}]")), [1]);
        }
        assert_eq!(numbers(format!("[{one}{two}]")), [1, 43_981]);
        // As long as the one before, with the number elsewhere.
        assert_eq!(numbers(format!("{one}[]")), [1]);
        assert_eq!(numbers(format!("[]{two}")), [43_981]);
    }
}
