//! A bot that answers each message `!size` with the size of the image. It keeps nothing on disk: started again, it
//! reads the log from its beginning, and the server knows repeated answers by their `clientMessageID`.
use anyhow::{Context, Result, bail, ensure};
use app::event::{ClientCommand, RefusalCode, SUBPROTOCOL, ServerEvent};
use app::model::{Cursor, LogEntry, LogPage, NewMessage, Seq, Upload};
use std::{env, thread::sleep, time::Duration};
use tungstenite::{ClientRequestBuilder, Message as Frame, stream::MaybeTlsStream};

const TIMEOUT: Duration = Duration::from_secs(65); // The server pings every 30 seconds.

struct Bot {
    http: ureq::Agent,
    api: String,
    last: Cursor,
}

fn main() -> Result<()> {
    let link = env::args().nth(1).context("usage: bot LINK")?;
    let (origin, id) = link.split_once("/u/").context("no link of an image")?;
    let http = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT));
    let mut bot = Bot {
        http: http.build().into(),
        api: format!("{origin}/api/uploads/{id}"),
        last: Cursor::default(),
    };
    while let Err(error) = bot.follow(&origin.replacen("http", "ws", 1), id) {
        eprintln!("{error:#}; connecting again");
        sleep(Duration::from_secs(2));
    }
    Ok(())
}

impl Bot {
    /// Follows the log from where it was left, until the image is deleted.
    fn follow(&mut self, origin: &str, id: &str) -> Result<()> {
        let request = ClientRequestBuilder::new(format!("{origin}/api/socket").parse()?);
        let (mut socket, _) = tungstenite::connect(request.with_sub_protocol(SUBPROTOCOL))?;
        match socket.get_ref() {
            MaybeTlsStream::Rustls(tls) => tls.get_ref().set_read_timeout(Some(TIMEOUT))?,
            MaybeTlsStream::Plain(tcp) => tcp.set_read_timeout(Some(TIMEOUT))?,
            _ => {}
        }
        let watch = ClientCommand::Watch {
            upload_id: id.parse()?,
            after: Some(self.last.seq),
            after_id: self.last.id,
            viewer: None,
        };
        socket.send(Frame::text(serde_json::to_string(&watch)?))?;
        loop {
            match serde_json::from_str(socket.read()?.to_text()?) {
                // With `reset` the server has another log, as after the restore of a backup: read it anew.
                Ok(ServerEvent::Watched { head, reset, .. }) => {
                    self.last = if reset { Cursor::default() } else { self.last };
                    self.catch_up(head)?;
                }
                Ok(ServerEvent::HeadAdvanced { head, .. }) => self.catch_up(head)?,
                Ok(ServerEvent::MessagePosted { message, .. }) => self.take(&message.into())?,
                Ok(ServerEvent::Refused(no)) if no.code != RefusalCode::Gone => bail!(no.detail),
                Ok(ServerEvent::Refused(_) | ServerEvent::UploadDeleted { .. }) => return Ok(()),
                // Others, those of later versions too, and pings. A deletion is fetched with the next message.
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Takes an entry in its turn. What is missing before it is fetched; what was taken before is ignored.
    fn take(&mut self, entry: &LogEntry) -> Result<()> {
        self.catch_up(entry.seq().previous())?;
        if entry.seq() > self.last.seq {
            if let Some(question) = entry.message().filter(|it| it.content.as_str() == "!size") {
                let upload: Upload = self.http.get(&self.api).call()?.body_mut().read_json()?;
                let (width, height) = (upload.content.width, upload.content.height);
                let answer = NewMessage {
                    author_name: "Size".parse()?,
                    content: format!("{width} × {height} pixels").parse()?,
                    client_message_id: format!("size-{}", question.id).parse()?,
                    at: question.at,
                    author: None,
                };
                let messages = format!("{}/messages", self.api);
                self.http.post(messages).send_json(&answer)?;
            }
            // Not before the answer is stored: if it was not, it is posted after reconnecting.
            (self.last.seq, self.last.id) = (entry.seq(), Some(entry.id()));
        }
        Ok(())
    }

    fn catch_up(&mut self, head: Seq) -> Result<()> {
        while self.last.seq < head {
            let url = format!("{}/messages?after={}", self.api, self.last.seq);
            let page: LogPage = self.http.get(url).call()?.body_mut().read_json()?;
            ensure!(!page.entries.is_empty(), "the log ends before {head}");
            page.entries.iter().try_for_each(|entry| self.take(entry))?;
        }
        Ok(())
    }
}
