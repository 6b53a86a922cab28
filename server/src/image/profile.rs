//! Recognises colour profiles by their header (ICC.1, 7.2). Other data in their place are not served: browsers ignore
//! them, but they may be anything.

use super::limits::PROFILE_BYTES;

/// How many first bytes of a profile are checked: the header, and the number of its tags.
pub(super) const HEADER: usize = 132;

/// How many bytes may follow a profile as padding.
const PADDING: u64 = 3;

const CLASSES: [&[u8; 4]; 7] = [
    b"scnr", b"mntr", b"prtr", b"link", b"spac", b"abst", b"nmcl",
];

const SPACES: [&[u8; 4]; 6] = [b"RGB ", b"GRAY", b"CMYK", b"Lab ", b"XYZ ", b"YCbr"];

/// Returns whether data of `len` bytes that begin with `start` are a profile.
pub(super) fn is_profile(start: &[u8], len: u64) -> bool {
    let Some(header) = start
        .first_chunk::<HEADER>()
        .filter(|_| len <= PROFILE_BYTES)
    else {
        return false;
    };
    let word = |at: usize| [0, 1, 2, 3].map(|byte| header[at + byte]);
    let size = u64::from(u32::from_be_bytes(word(0)));
    (HEADER as u64..=len).contains(&size)
        && len - size <= PADDING
        && header[8] <= 4
        && CLASSES.contains(&&word(12))
        && SPACES.contains(&&word(16))
        && [b"XYZ ", b"Lab "].contains(&&word(20))
        && word(36) == *b"acsp"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_recognised_by_its_header() {
        let mut profile = vec![0; 200];
        profile[3] = 200;
        profile[8] = 4;
        profile[12..24].copy_from_slice(b"mntrRGB XYZ ");
        profile[36..40].copy_from_slice(b"acsp");
        assert!(is_profile(&profile, 200));
        assert!(is_profile(&profile, 203));
        for (at, value) in [
            (3, 100),
            (3, 201),
            (8, 5),
            (12, b'x'),
            (16, 0),
            (20, 0),
            (36, 0),
        ] {
            let mut other = profile.clone();
            other[at] = value;
            assert!(!is_profile(&other, 200), "{at}");
        }
        assert!(!is_profile(&profile, 204));
        assert!(!is_profile(b"<!doctype html>", 15));
    }
}
