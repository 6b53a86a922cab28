//! The types of problem documents, by which programs tell errors apart.

use http::StatusCode;

/// Defines the types, each with its status and its name.
macro_rules! problem_types {
    ($($(#[$doc:meta])+ $variant:ident = $status:ident $name:literal,)+) => {
        /// What kind of error it is: `type` and `status` of the problem document. docs/protocol.md lists them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ProblemType {
            $($(#[$doc])+ $variant,)+
        }

        impl ProblemType {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The HTTP status.
            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$variant => StatusCode::$status,)+
                }
            }

            /// The URI reference, as `/problems/too-large`.
            pub const fn uri(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!("/problems/", $name),)+
                }
            }
        }
    };
}

problem_types! {
    /// The request is not well-formed.
    Malformed = BAD_REQUEST "malformed",
    /// The header `Authorization` is missing, malformed or wrong.
    Unauthorized = UNAUTHORIZED "unauthorized",
    /// A page of another site made the request.
    ForeignOrigin = FORBIDDEN "foreign-origin",
    /// The secret is not the owner's.
    NotOwner = FORBIDDEN "not-owner",
    /// This image is refused here.
    Blocked = FORBIDDEN "blocked",
    /// Nothing is taken from this address for a while.
    AddressBlocked = FORBIDDEN "address-blocked",
    /// There is no such thing, or the id is invalid.
    NotFound = NOT_FOUND "not-found",
    /// This address does not take the method.
    MethodNotAllowed = METHOD_NOT_ALLOWED "method-not-allowed",
    /// The body stopped arriving, or arrives too slowly.
    TooSlow = REQUEST_TIMEOUT "too-slow",
    /// The upload was deleted, or has expired.
    Gone = GONE "gone",
    /// `If-Match` names no version that there is.
    PreconditionFailed = PRECONDITION_FAILED "precondition-failed",
    /// The body is larger than is allowed.
    TooLarge = PAYLOAD_TOO_LARGE "too-large",
    /// The body, or the file, is of a type that is not accepted.
    UnsupportedType = UNSUPPORTED_MEDIA_TYPE "unsupported-type",
    /// The range begins after the end of the image.
    RangeNotSatisfiable = RANGE_NOT_SATISFIABLE "range-not-satisfiable",
    /// The image is damaged, or exceeds the limits.
    BadImage = UNPROCESSABLE_ENTITY "bad-image",
    /// A field is missing or out of bounds; `field` names it.
    BadField = UNPROCESSABLE_ENTITY "bad-field",
    /// A WebSocket of another version than 13.
    OtherVersion = UPGRADE_REQUIRED "other-version",
    /// Too many requests from this address; `Retry-After` says when to try again.
    TooManyRequests = TOO_MANY_REQUESTS "too-many-requests",
    /// An error of the server.
    Internal = INTERNAL_SERVER_ERROR "internal",
    /// A format that this address does not answer in.
    NotImplemented = NOT_IMPLEMENTED "not-implemented",
    /// The server cannot answer now; `Retry-After` says when to try again.
    Unavailable = SERVICE_UNAVAILABLE "unavailable",
    /// No storage is left for the file.
    InsufficientStorage = INSUFFICIENT_STORAGE "insufficient-storage",
}
