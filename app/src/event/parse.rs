use std::str::FromStr;

use serde::Deserialize;

use super::client_command::ClientCommand;
use super::refusal::{CommandName, Refusal, RefusalCode};
use crate::model::{AuthorName, IdError, Point, Seq, TextError, UploadRef, Viewer};

/// A frame that is no command.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CommandError {
    /// Not a command of the protocol: the socket is closed with 1008.
    #[error("not a command of the protocol: {0}")]
    Malformed(String),
    /// A command with a value that cannot be: it is refused and the socket stays open.
    #[error("{}", .0.detail)]
    Refused(Refusal),
}

impl ClientCommand {
    /// Reads a client's text frame.
    ///
    /// # Errors
    /// [`CommandError::Malformed`] when the frame breaks the protocol, [`CommandError::Refused`] when only a value
    /// is out of bounds.
    pub fn parse(frame: &str) -> Result<Self, CommandError> {
        let raw: RawCommand = serde_json::from_str(frame)
            .map_err(|error| CommandError::Malformed(error.to_string()))?;
        raw.validate().map_err(CommandError::Refused)
    }
}

/// The shape of a command before its values are checked.
#[derive(Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "camelCase")]
enum RawCommand {
    Watch(RawWatch),
    Unwatch {
        #[serde(rename = "uploadID")]
        upload_id: String,
    },
    Touch(RawTouch),
}

#[derive(Deserialize)]
struct RawWatch {
    #[serde(rename = "uploadID")]
    upload_id: String,
    after: Option<Seq>,
    #[serde(rename = "afterID")]
    after_id: Option<String>,
    viewer: Option<RawViewer>,
}

#[derive(Deserialize)]
struct RawTouch {
    #[serde(rename = "uploadID")]
    upload_id: String,
    x: f64,
    y: f64,
    tab: String,
    author: Option<String>,
    name: Option<String>,
    stroke: Option<String>,
}

#[derive(Deserialize)]
struct RawViewer {
    author: Option<String>,
    name: Option<String>,
}

impl RawCommand {
    fn validate(self) -> Result<ClientCommand, Refusal> {
        match self {
            Self::Watch(watch) => watch.validate(),
            Self::Unwatch { upload_id } => Ok(ClientCommand::Unwatch {
                upload_id: upload_ref(CommandName::Unwatch, upload_id)?,
            }),
            Self::Touch(touch) => touch.validate(),
        }
    }
}

impl RawWatch {
    fn validate(self) -> Result<ClientCommand, Refusal> {
        let invalid = invalid(CommandName::Watch, self.upload_id.clone());
        let after_id = parse(self.after_id).map_err(|error: IdError| invalid(&error))?;
        let viewer = self.viewer.map(|viewer| {
            Ok(Viewer {
                author: parse(viewer.author).map_err(|error: IdError| invalid(&error))?,
                name: alias(viewer.name).map_err(|error| invalid(&error))?,
            })
        });
        Ok(ClientCommand::Watch {
            viewer: viewer.transpose()?,
            upload_id: upload_ref(CommandName::Watch, self.upload_id)?,
            after: self.after,
            after_id,
        })
    }
}

impl RawTouch {
    fn validate(self) -> Result<ClientCommand, Refusal> {
        let invalid = invalid(CommandName::Touch, self.upload_id.clone());
        let id = |error: IdError| invalid(&error);
        let at = Point::new(self.x, self.y).map_err(|error| invalid(&error))?;
        Ok(ClientCommand::Touch {
            at,
            tab: self.tab.parse().map_err(id)?,
            author: parse(self.author).map_err(id)?,
            name: alias(self.name).map_err(|error| invalid(&error))?,
            stroke: parse(self.stroke).map_err(id)?,
            upload_id: upload_ref(CommandName::Touch, self.upload_id)?,
        })
    }
}

fn parse<T: FromStr>(text: Option<String>) -> Result<Option<T>, T::Err> {
    text.map(|text| text.parse()).transpose()
}

fn alias(text: Option<String>) -> Result<Option<AuthorName>, TextError> {
    text.map_or(Ok(None), |text| AuthorName::shortened(&text))
}

/// Refuses the command because of a field's error.
fn invalid(command: CommandName, upload_id: String) -> impl Fn(&dyn ToString) -> Refusal {
    move |error| Refusal {
        command,
        upload_id: upload_id.clone(),
        code: RefusalCode::InvalidField,
        detail: error.to_string(),
    }
}

fn upload_ref(command: CommandName, text: String) -> Result<UploadRef, Refusal> {
    text.parse().map_err(|error: IdError| Refusal {
        command,
        upload_id: text,
        code: RefusalCode::NotFound,
        detail: error.to_string(),
    })
}
