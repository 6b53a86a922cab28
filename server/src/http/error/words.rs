//! What people are told about errors, in their language. What only programs meet is in English.

use app::texts::{Language, fill, size};

use super::{ApiError, FieldError};
use crate::image::ImageError;

impl ApiError {
    /// The kind of error in a few words.
    pub(super) fn title(&self, language: Language) -> &'static str {
        let texts = language.server_texts();
        match self {
            Self::Malformed(_) | Self::NoImage | Self::SeveralImages => texts.malformed,
            Self::Unauthorized | Self::NotAdmin => texts.unauthorized,
            Self::ForeignOrigin => texts.foreign_origin,
            Self::NotOwner => texts.not_owner,
            Self::ImageBlocked => texts.image_blocked,
            Self::AddressBlocked => texts.address_blocked,
            Self::NotFound | Self::NotInUpload => texts.not_found,
            Self::Gone => texts.gone,
            Self::MethodNotAllowed => texts.method_not_allowed,
            Self::TooSlow => texts.too_slow,
            Self::PreconditionFailed => texts.precondition_failed,
            Self::FileTooLarge { .. } | Self::BodyTooLarge => texts.too_large,
            Self::UnsupportedType(_) | Self::BadImage(ImageError::UnknownType) => {
                texts.unsupported_type
            }
            Self::RangeNotSatisfiable => texts.range_not_satisfiable,
            Self::BadImage(_) => texts.bad_image,
            Self::BadField { .. } => texts.bad_field,
            Self::UnsupportedWebSocketVersion => texts.other_version,
            Self::TooManyRequests { .. } => texts.too_many_requests,
            Self::Internal => texts.internal,
            Self::NotImplemented => texts.not_implemented,
            Self::StorageFull => texts.storage_full,
            Self::Unavailable | Self::Overloaded => texts.unavailable,
        }
    }

    /// What a person can do about it, in a sentence, and the language of that.
    pub(super) fn detail(&self, language: Language) -> (String, Language) {
        let texts = language.server_texts();
        let english = |detail: &str| (detail.to_owned(), Language::En);
        let detail: &str = match self {
            Self::Malformed(detail) | Self::UnsupportedType(detail) => return english(detail),
            Self::NoImage => texts.no_image,
            Self::SeveralImages => texts.several_images,
            Self::Unauthorized => {
                return english(
                    "The header Authorization, if there is one, is Bearer with a secret of 22 to 86 letters, digits, \
                     '-' or '_'.",
                );
            }
            Self::NotAdmin => {
                return english(
                    "The header Authorization is Bearer with the token of who runs this service.",
                );
            }
            Self::ForeignOrigin => texts.foreign_origin_detail,
            Self::NotOwner => texts.not_owner_detail,
            Self::ImageBlocked => texts.image_blocked_detail,
            Self::AddressBlocked => texts.address_blocked_detail,
            Self::NotFound | Self::NotInUpload => texts.not_found_detail,
            Self::Gone => texts.gone_detail,
            Self::MethodNotAllowed => texts.method_not_allowed_detail,
            Self::TooSlow => texts.too_slow_detail,
            Self::PreconditionFailed => {
                return english("This is not the version that was asked for.");
            }
            Self::FileTooLarge { limit } => {
                let max = size(*limit, language.texts());
                &fill(texts.file_too_large, &[("max", &max)])
            }
            Self::BodyTooLarge => texts.body_too_large,
            Self::RangeNotSatisfiable => {
                return english("This part is beyond the end of the file.");
            }
            Self::BadImage(error) => &error.in_words(texts),
            Self::BadField { detail, .. } => match detail {
                FieldError::Text(error) => &error.in_words(language.texts()),
                FieldError::Other(error) => return english(error),
            },
            Self::UnsupportedWebSocketVersion => {
                return english("This address takes WebSockets of version 13 only.");
            }
            Self::TooManyRequests { .. } => texts.too_many_requests_detail,
            Self::Internal => texts.internal_detail,
            Self::NotImplemented => return english("This address answers in JSON only."),
            Self::Unavailable | Self::Overloaded => texts.unavailable_detail,
            Self::StorageFull => texts.storage_full_detail,
        };
        (detail.to_owned(), language)
    }
}

#[cfg(test)]
mod tests {
    use app::model::TextError;

    use super::*;

    #[test]
    fn only_the_words_of_a_problem_depend_on_the_language() {
        let error = ApiError::field("content", TextError::TooLong { max: 2, len: 3 });
        let (english, german) = (
            error.to_problem(Language::En),
            error.to_problem(Language::De),
        );
        assert_eq!(
            english.detail,
            "At most 2 characters are allowed; this has 3."
        );
        assert_eq!(
            german.detail,
            "Höchstens 2 Zeichen sind erlaubt, es sind 3."
        );
        assert_eq!(error.detail_language(Language::De), Language::De);
        assert_ne!(english.title, german.title);
        assert_eq!(
            (english.kind, english.status, english.field),
            (german.kind, german.status, german.field)
        );
    }
}
