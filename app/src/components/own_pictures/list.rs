use std::fmt::Write;

use crate::browser::storage;
use crate::model::{ShortId, Timestamp, Upload};

/// How many are kept. When there are more, the oldest are dropped.
const MAX_PICTURES: usize = 50;
/// The end of the line of a picture that a plain form has uploaded.
const FORM: &str = " form";

/// A picture that was uploaded in this browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnPicture {
    /// Its id in links.
    pub short_id: ShortId,
    /// When it was uploaded.
    pub created_at: Timestamp,
    /// Whether this browser's secret owns it. A plain form brings none.
    pub is_owned: bool,
}

/// Those that this browser knows, newest first.
pub fn read() -> Vec<OwnPicture> {
    parse(&storage::read_pictures().unwrap_or_default())
}

/// Adds an upload, which this browser's secret owns or not.
pub fn add(upload: &Upload, is_owned: bool) {
    let picture = OwnPicture {
        short_id: upload.short_id,
        created_at: upload.created_at,
        is_owned,
    };
    storage::write_pictures(&format(&with(read(), picture)));
}

/// Removes one from the list; the upload stays. Returns those that are left.
pub fn forget(short_id: ShortId) -> Vec<OwnPicture> {
    let mut pictures = read();
    pictures.retain(|it| it.short_id != short_id);
    storage::write_pictures(&format(&pictures));
    pictures
}

fn with(mut pictures: Vec<OwnPicture>, newest: OwnPicture) -> Vec<OwnPicture> {
    pictures.retain(|it| it.short_id != newest.short_id);
    pictures.insert(0, newest);
    pictures.truncate(MAX_PICTURES);
    pictures
}

/// Whether this browser's secret owns this upload, as far as it remembers.
pub fn is_owned(short_id: ShortId) -> bool {
    let is_owned = |it: &OwnPicture| it.short_id == short_id && it.is_owned;
    read().iter().any(is_owned)
}

/// A line for each: its short id, its Unix time in milliseconds, and `form` if a plain form has uploaded it.
fn format(pictures: &[OwnPicture]) -> String {
    let mut text = String::new();
    for picture in pictures {
        // Writing to a string never fails.
        _ = writeln!(
            text,
            "{} {}{}",
            picture.short_id,
            picture.created_at.unix_millis(),
            if picture.is_owned { "" } else { FORM }
        );
    }
    text
}

/// Lines that are not understood are left out: the storage is anyone's on this site.
fn parse(text: &str) -> Vec<OwnPicture> {
    let parse = |line: &str| {
        let by_form = line.strip_suffix(FORM);
        let (short_id, millis) = by_form.unwrap_or(line).split_once(' ')?;
        Some(OwnPicture {
            short_id: short_id.parse().ok()?,
            created_at: Timestamp::from_unix_millis(millis.parse().ok()?)?,
            is_owned: by_form.is_none(),
        })
    };
    text.lines().filter_map(parse).take(MAX_PICTURES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(n: i64) -> OwnPicture {
        OwnPicture {
            short_id: format!("{n:08}").parse().unwrap(),
            created_at: Timestamp::from_unix_millis(n).unwrap(),
            is_owned: n != 7,
        }
    }

    #[test]
    fn pictures_are_read_as_they_were_written() {
        let pictures = [picture(8), picture(7)];
        assert_eq!(parse(&format(&pictures)), pictures);
        assert_eq!(format(&pictures), "00000008 8\n00000007 7 form\n");
    }

    #[test]
    fn lines_that_are_not_understood_are_left_out() {
        let text = "00000001 1\n\nnonsense\n00000002\n00000003 x\n../../a. 4\n00000005 5";
        assert_eq!(parse(text), [picture(1), picture(5)]);
    }

    #[test]
    fn the_oldest_are_dropped() {
        let all = (0..60).fold(Vec::new(), |all, n| with(all, picture(n)));
        assert_eq!(all.len(), MAX_PICTURES);
        assert_eq!(all[0], picture(59));
        let many = format(&(0..60).map(picture).collect::<Vec<_>>());
        assert_eq!(parse(&many).len(), MAX_PICTURES);
    }
}
