//! The components of the pages. They render and pass on events; the logic is in [`crate::live`] or in plain functions
//! beside them.

mod announcement;
mod avatar;
mod composer;
mod connection_status;
mod expiry_date;
mod footer;
mod header;
mod main_part;
mod messages;
mod notice;
mod own_pictures;
mod people;
mod picture_deletions;
mod places;
mod share;
mod stage;
mod title;
mod unread;
mod upload_form;

pub use composer::Composer;
pub use connection_status::ConnectionStatus;
pub use expiry_date::expiry_date;
pub use footer::Footer;
pub use header::{Brand, Header, NewPicture};
pub use main_part::Main;
pub use messages::MessageList;
pub use notice::Notice;
pub use own_pictures::{OwnPictures, add_from_form, is_owned};
pub use people::People;
pub use picture_deletions::{PictureDeletion, PictureDeletions};
pub use places::Places;
pub use share::ShareButton;
pub use stage::ImageStage;
#[cfg(feature = "ssr")]
pub use stage::alt as image_alt;
pub use title::image_title;
pub use unread::count_unread;
pub use upload_form::{DropZone, UploadOffer};
