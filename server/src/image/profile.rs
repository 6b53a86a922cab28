//! Whether data that stand in the place of a colour profile are one, by its header (ICC.1, 7.2). What is not is not
//! served: browsers pass over it, but it may be anything.

use super::limits::PROFILE_BYTES;

/// Bytes of a profile that tell what it is: the header, and the number of its tags.
pub(super) const HEADER: usize = 132;

/// Bytes that may follow a profile to fill up its last word.
const PADDING: u64 = 3;

const CLASSES: [&[u8; 4]; 7] = [
    b"scnr", b"mntr", b"prtr", b"link", b"spac", b"abst", b"nmcl",
];

const SPACES: [&[u8; 4]; 6] = [b"RGB ", b"GRAY", b"CMYK", b"Lab ", b"XYZ ", b"YCbr"];

/// Whether `start`, the first bytes of `len`, begins a profile that ends where they do.
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
    fn a_profile_is_known_by_its_header() {
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
