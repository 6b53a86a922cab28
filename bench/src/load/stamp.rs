//! The number that every event carries, wherever a system's frames put it.

use memchr::memmem::Finder;

const MARK: &[u8] = b"stamp-";
const DIGITS: usize = 8;

/// The text that stands in event number `number`: letters, digits and a dash, of fixed length.
pub fn stamp(number: u64) -> String {
    format!("stamp-{number:08x}")
}

/// Finds stamps in payloads without reading the JSON around them. Frames of one kind are equally long and have the
/// stamp at the same place, so the place of the last search is tried first.
#[derive(Debug)]
pub struct Stamps {
    finder: Finder<'static>,
    /// Bytes of a payload with one stamp, and where it is.
    place: Option<(usize, usize)>,
}

impl Default for Stamps {
    fn default() -> Self {
        Self {
            finder: Finder::new(MARK),
            place: None,
        }
    }
}

impl Stamps {
    /// Calls `each` with the number of every event in a payload: none, one, or several that were merged.
    #[inline]
    pub fn each(&mut self, payload: &[u8], mut each: impl FnMut(u64)) {
        if let Some((length, at)) = self.place
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
                self.place = (found == 1).then_some((payload.len(), at));
                each(number);
            }
        }
    }
}

#[inline]
fn number_at(payload: &[u8], at: usize) -> Option<u64> {
    let digits = payload.get(at..)?.strip_prefix(MARK)?.get(..DIGITS)?;
    digits.iter().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u64::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(stamps: &mut Stamps, payload: &str) -> Vec<u64> {
        let mut found = Vec::new();
        stamps.each(payload.as_bytes(), |number| found.push(number));
        found
    }

    #[test]
    fn events_are_found_one_by_one_merged_and_at_other_places() {
        let mut stamps = Stamps::default();
        let (one, two) = (stamp(1), stamp(0xabcd));
        assert!(numbers(&mut stamps, "{}").is_empty());
        for _ in 0..2 {
            assert_eq!(numbers(&mut stamps, &format!("[{one}]")), [1]);
        }
        assert_eq!(numbers(&mut stamps, &format!("[{one}{two}]")), [1, 0xabcd]);
        // As long as the last one, with the stamp elsewhere.
        assert_eq!(numbers(&mut stamps, &format!("{one}[]")), [1]);
        assert_eq!(numbers(&mut stamps, &format!("[]{two}")), [0xabcd]);
    }
}
