use super::table::Texts;

const KB: u64 = 1 << 10;
const MB: u64 = 1 << 20;
const GB: u64 = 1 << 30;

/// A number of bytes for people, as `20 MB`, `3.4 MB` or `64 kB`: rounded up, so that a size above a limit never reads
/// as the limit. A MB has 2^20 bytes, a GB 2^30.
///
/// Formatted from an integer, since the formatting of floats would add 5 kB to the WASM.
pub fn size(bytes: u64, texts: &Texts) -> String {
    if bytes < MB {
        return format!("{}\u{a0}kB", bytes.div_ceil(KB));
    }
    let (unit, name) = if bytes < GB { (MB, "MB") } else { (GB, "GB") };
    let (whole, rest) = (bytes / unit, bytes % unit);
    match (rest * 10).div_ceil(unit) {
        0 => format!("{whole}\u{a0}{name}"),
        10 => format!("{}\u{a0}{name}", whole + 1),
        tenth => format!("{whole}{}{tenth}\u{a0}{name}", texts.decimal_point),
    }
}

#[cfg(test)]
mod tests {
    use crate::texts::language::Language;

    use super::*;

    #[test]
    fn a_size_is_rounded_up_in_the_largest_unit() {
        let english = |bytes| size(bytes, Language::En.texts());
        assert_eq!(english(20 * MB), "20\u{a0}MB");
        assert_eq!(english(20 * MB + 1), "20.1\u{a0}MB");
        assert_eq!(english(21 * MB - 1), "21\u{a0}MB");
        assert_eq!(english(1023 * MB), "1023\u{a0}MB");
        assert_eq!(english(5 * GB / 2), "2.5\u{a0}GB");
        assert_eq!(english(64 * KB), "64\u{a0}kB");
        assert_eq!(english(1), "1\u{a0}kB");
        assert_eq!(size(3 * MB / 2, Language::De.texts()), "1,5\u{a0}MB");
    }
}
