//! The kinds of smaller pictures: which images have them, and how they are made.

use app::model::{Content, MediaType};

use super::placeholder;
use crate::blob::Derived;
use crate::config::PictureSpec;

/// The most bytes of a link preview: what all services that show one accept.
const PREVIEW_BYTES: u64 = 300_000;

/// Whether the image may have this picture. A GIF, which is mostly animated, is shown as it is.
pub fn may_exist(derived: Derived, image: &Content) -> bool {
    let is_gif = image.media_type == MediaType::Gif;
    match derived {
        Derived::Preview => true,
        // A small file is there about as soon as its page.
        Derived::Placeholder => !is_gif && image.size >= placeholder::MIN_IMAGE_BYTES,
        Derived::W640 | Derived::W1280 | Derived::W2560 => {
            let mut widths = image.smaller_widths();
            derived
                .width()
                .is_some_and(|width| widths.any(|it| it == width))
        }
    }
}

/// How it is made.
pub(super) fn spec_of(derived: Derived) -> PictureSpec {
    match derived {
        Derived::W640 => PictureSpec::MaxWidth(640),
        Derived::W1280 => PictureSpec::MaxWidth(1280),
        Derived::W2560 => PictureSpec::MaxWidth(2560),
        Derived::Preview => PictureSpec::Preview {
            into: Content::PREVIEW_BOX,
            bytes: PREVIEW_BYTES,
        },
        Derived::Placeholder => PictureSpec::Placeholder {
            into: placeholder::BOX,
            bytes: placeholder::MAX_BYTES,
        },
    }
}
