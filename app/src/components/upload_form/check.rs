use crate::model::MediaType;

const MEBIBYTE: f64 = 1_048_576.0;

/// What a browser tells of a file before it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct FileFacts {
    /// Its name.
    pub name: String,
    /// Its media type as the browser guesses it; empty when it has no idea.
    pub media_type: String,
    /// Bytes.
    pub size: f64,
}

/// The types that Tonesa takes, for a file field's `accept`.
pub const ACCEPT: &str = "image/png,image/jpeg,image/gif,image/webp";

/// Which of these files to take: the first picture, else the first that may be one, else the first of all, so that it
/// can be said why it is refused.
pub fn pick(files: &[FileFacts]) -> Option<usize> {
    let first = |looks: Looks| files.iter().position(|file| looks_like(file) == looks);
    first(Looks::Picture)
        .or_else(|| first(Looks::Unclear))
        .or_else(|| first(Looks::Other))
}

/// Why the file need not be sent at all, as a sentence. What may be a picture is sent: the server looks at its bytes.
pub fn refusal(file: &FileFacts, max_bytes: u64) -> Option<String> {
    #[expect(clippy::cast_precision_loss, reason = "no limit comes near 2^53 bytes")]
    let max = max_bytes as f64;
    let name = short(&file.name);
    if looks_like(file) == Looks::Other {
        Some(format!(
            "{name} is not a picture that Tonesa can show. PNG, JPEG, GIF and WebP work."
        ))
    } else if file.size > max {
        Some(format!(
            "{name} has {}. At most {} can be uploaded.",
            megabytes(file.size),
            megabytes(max)
        ))
    } else if file.size <= 0.0 {
        Some(format!("{name} is empty."))
    } else {
        None
    }
}

/// The size as `20 MB` or `3.4 MB`, rounded up so that what is over a limit never reads as the limit.
pub fn megabytes(bytes: f64) -> String {
    let tenths = (bytes / MEBIBYTE * 10.0).ceil();
    let megabytes = tenths / 10.0;
    format!("{megabytes} MB")
}

/// What a file is by its name and type, which its bytes may belie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looks {
    /// Of one of the types that are taken.
    Picture,
    /// Of no type that the browser knows, or of another type of image: pictures have wrong endings, or none.
    Unclear,
    /// Surely something else: a text, a film, a drawing in SVG.
    Other,
}

fn looks_like(file: &FileFacts) -> Looks {
    const TAKEN: [MediaType; 4] = [
        MediaType::Png,
        MediaType::Jpeg,
        MediaType::Gif,
        MediaType::WebP,
    ];
    let is = |name: &str| file.media_type.eq_ignore_ascii_case(name);
    let is_image = file
        .media_type
        .get(..6)
        .is_some_and(|start| start.eq_ignore_ascii_case("image/"));
    if TAKEN.iter().any(|taken| is(taken.as_str())) || is("") && has_known_ending(&file.name) {
        Looks::Picture
    } else if is("") || is("application/octet-stream") || is_image && !is("image/svg+xml") {
        Looks::Unclear
    } else {
        Looks::Other
    }
}

fn has_known_ending(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ["png", "jpg", "jpeg", "jfif", "gif", "webp"]
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known))
}

/// The name, without the middle when it is very long.
pub fn short(name: &str) -> String {
    const LONGEST: usize = 40;
    let length = name.chars().count();
    if length <= LONGEST {
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

    fn file(name: &str, media_type: &str, size: f64) -> FileFacts {
        FileFacts {
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            size,
        }
    }

    #[test]
    fn a_picture_within_the_limit_is_sent() {
        assert_eq!(refusal(&file("cat.jpg", "image/jpeg", 1_000.0), MAX), None);
        assert_eq!(refusal(&file("CAT.JPG", "", 1_000.0), MAX), None);
        assert_eq!(
            refusal(&file("cat.png", "image/png", 20_971_520.0), MAX),
            None
        );
    }

    #[test]
    fn a_text_is_refused_by_its_name_and_told_what_works() {
        let sentence = refusal(&file("notes.txt", "text/plain", 10.0), MAX).unwrap();
        assert!(
            sentence.starts_with("notes.txt is not a picture"),
            "{sentence}"
        );
        assert!(refusal(&file("drawing.svg", "image/svg+xml", 10.0), MAX).is_some());
    }

    #[test]
    fn what_may_be_a_picture_is_sent_for_its_bytes_to_be_looked_at() {
        for (name, media_type) in [
            ("IMG_0042", ""),
            ("photo.jpg_large", ""),
            ("download", "application/octet-stream"),
            ("photo.heic", "image/heic"),
            ("photo", "image/pjpeg"),
        ] {
            assert_eq!(refusal(&file(name, media_type, 10.0), MAX), None, "{name}");
        }
        assert!(refusal(&file("IMG_0042", "", 0.0), MAX).is_some());
        assert!(refusal(&file("film.mp4", "video/mp4", 10.0), MAX).is_some());
    }

    #[test]
    fn a_file_just_over_the_limit_does_not_read_as_the_limit() {
        let sentence = refusal(&file("big.png", "image/png", 20_971_521.0), MAX).unwrap();
        assert_eq!(
            sentence,
            "big.png has 20.1 MB. At most 20 MB can be uploaded."
        );
    }

    #[test]
    fn the_first_picture_of_several_files_is_taken() {
        let text = file("a.txt", "text/plain", 1.0);
        let picture = file("b.png", "image/png", 1.0);
        assert_eq!(pick(&[text.clone(), picture.clone(), picture]), Some(1));
        let unclear = file("IMG_0042", "", 1.0);
        assert_eq!(pick(&[text.clone(), unclear.clone()]), Some(1));
        assert_eq!(
            pick(&[unclear, text.clone(), file("b.gif", "image/gif", 1.0)]),
            Some(2)
        );
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
