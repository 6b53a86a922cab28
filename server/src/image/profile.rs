//! Colour profiles, as far as they are looked into: by their headers.

/// Bytes before a profile's tags.
const HEADER: usize = 128;

/// Whether these bytes are an ICC profile by its header (ICC.1, section 7.2): long enough for one, of a length that the
/// bytes hold, and with the signature that all profiles have.
pub(super) fn is_icc_profile(bytes: &[u8]) -> bool {
    let Some(header) = bytes.first_chunk::<HEADER>() else {
        return false;
    };
    let [a, b, c, d, ..] = *header;
    let len = u32::from_be_bytes([a, b, c, d]);
    let is_held = usize::try_from(len).is_ok_and(|len| (HEADER..=bytes.len()).contains(&len));
    is_held && &header[36..40] == b"acsp"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_known_by_its_header() {
        let mut profile = vec![0; 200];
        profile[..4].copy_from_slice(&200_u32.to_be_bytes());
        profile[36..40].copy_from_slice(b"acsp");
        assert!(is_icc_profile(&profile));
        assert!(is_icc_profile(&[&profile[..], b"padding"].concat()));
        assert!(!is_icc_profile(&profile[..199]));
        assert!(!is_icc_profile(&profile[..127]));
        assert!(!is_icc_profile(&[b'<'; 200]));
        profile[36] = b'A';
        assert!(!is_icc_profile(&profile));
    }
}
