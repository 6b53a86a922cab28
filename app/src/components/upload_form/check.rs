use crate::model::MediaType;
use crate::texts::{fill, size, texts};

/// The properties of a file that are known without reading it.
#[derive(Debug, Clone, PartialEq)]
pub struct FileFacts {
    /// Its name.
    pub name: String,
    /// The media type that the browser guesses; empty if unknown.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
}

/// The accepted types, for a file field's `accept`.
pub const ACCEPT: &str = "image/png,image/jpeg,image/gif,image/webp";

/// Selects the file to upload: the first that is an image by its type or name, else the first of all.
pub fn pick(files: &[FileFacts]) -> Option<usize> {
    let image = files.iter().position(is_image);
    image.or((!files.is_empty()).then_some(0))
}

/// Why the file cannot be uploaded, as a sentence. Whether it is an image is left to the server, which reads its bytes:
/// names and types may be wrong.
pub fn refusal(file: &FileFacts, max_bytes: u64) -> Option<String> {
    let name = short(&file.name);
    if file.size > max_bytes {
        let (size, max) = (size(file.size, texts()), size(max_bytes, texts()));
        let parts = [("name", name.as_str()), ("size", &size), ("max", &max)];
        Some(fill(texts().chosen_file_too_large, &parts))
    } else if file.size == 0 {
        Some(fill(texts().file_empty, &[("name", &name)]))
    } else {
        None
    }
}

/// Whether the type, or without one the name, is that of an accepted image.
fn is_image(file: &FileFacts) -> bool {
    const ACCEPTED: [MediaType; 4] = [
        MediaType::Png,
        MediaType::Jpeg,
        MediaType::Gif,
        MediaType::WebP,
    ];
    let is = |name: &str| file.media_type.eq_ignore_ascii_case(name);
    ACCEPTED.iter().any(|accepted| is(accepted.as_str()))
        || is("") && has_known_extension(&file.name)
}

fn has_known_extension(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    ["png", "jpg", "jpeg", "jfif", "gif", "webp"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

/// Shortens a long name in the middle.
pub fn short(name: &str) -> String {
    const MAX_CHARS: usize = 40;
    let length = name.chars().count();
    if length <= MAX_CHARS {
        return name.to_owned();
    }
    let head: String = name.chars().take(24).collect();
    let tail: String = name.chars().skip(length - 12).collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u64 = 20 * 1_024 * 1_024;

    fn file(name: &str, media_type: &str, size: u64) -> FileFacts {
        FileFacts {
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            size,
        }
    }

    #[test]
    fn an_image_within_the_limit_is_sent() {
        assert_eq!(refusal(&file("cat.jpg", "image/jpeg", 1_000), MAX), None);
        assert_eq!(refusal(&file("CAT.JPG", "", 1_000), MAX), None);
        assert_eq!(
            refusal(&file("cat.png", "image/png", 20_971_520), MAX),
            None
        );
    }

    #[test]
    fn whether_it_is_an_image_is_left_to_the_server() {
        for (name, media_type) in [
            ("IMG_0042", ""),
            ("photo.jpg_large", ""),
            ("download", "application/octet-stream"),
            ("photo.heic", "image/heic"),
            ("photo.txt", "text/plain"),
        ] {
            assert_eq!(refusal(&file(name, media_type, 10), MAX), None, "{name}");
        }
        assert!(refusal(&file("IMG_0042", "", 0), MAX).is_some());
    }

    #[test]
    fn a_file_just_over_the_limit_does_not_read_as_the_limit() {
        let sentence = refusal(&file("big.png", "image/png", 20_971_521), MAX).unwrap();
        assert_eq!(
            sentence,
            "big.png is 20.1\u{a0}MB. At most 20\u{a0}MB can be uploaded."
        );
    }

    #[test]
    fn the_first_image_of_several_files_is_taken() {
        let text = file("a.txt", "text/plain", 1);
        let image = file("b.png", "image/png", 1);
        assert_eq!(pick(&[text.clone(), image.clone(), image]), Some(1));
        let unnamed = file("IMG_0042", "", 1);
        assert_eq!(pick(&[unnamed, file("b.gif", "", 1)]), Some(1));
        assert_eq!(pick(&[text.clone(), text]), Some(0));
        assert_eq!(pick(&[]), None);
    }

    #[test]
    fn a_very_long_name_keeps_its_ends() {
        let name = format!("{}.png", "x".repeat(300));
        assert_eq!(short(&name).chars().count(), 37);
        assert!(short(&name).ends_with("xxxxxxxx.png"));
    }
}
