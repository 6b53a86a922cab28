//! A bot that answers `!size` with the image's size. It keeps nothing: the server knows answers by `clientMessageID`.
use anyhow::{Context, Result, bail, ensure};
use app::event::{ClientCommand, RefusalCode, SUBPROTOCOL, ServerEvent as Event};
use app::model::{Cursor, LogPage, NewMessage, Seq, Upload, UploadRef};
use std::{env, net::TcpStream, thread::sleep, time::Duration};
use tungstenite::{ClientRequestBuilder, Message as Frame, client_tls, http::Uri};

const TIMEOUT: Duration = Duration::from_secs(65); // Of the handshake too. The server pings every 30 seconds.
const FINAL: [RefusalCode; 2] = [RefusalCode::Gone, RefusalCode::NotFound];
const PAUSE: Duration = Duration::from_secs(2); // Before connecting again; doubled each time, up to 30 seconds.

struct Bot {
    http: ureq::Agent,
    api: String,
    last: Cursor,
}

fn main() -> Result<()> {
    let link = env::args().nth(1).context("usage: bot LINK")?;
    let (origin, id) = link.split_once("/u/").context("no link of an image")?;
    let id: UploadRef = id.split('#').next().unwrap_or_default().parse()?;
    let socket = format!("{}/api/socket", origin.replacen("http", "ws", 1)).parse()?;
    let http = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT));
    let mut bot = Bot {
        http: http.build().into(),
        api: format!("{origin}/api/uploads/{id}"),
        last: Cursor::default(),
    };
    let mut pause = PAUSE;
    while let Err(error) = bot.follow(&socket, id, &mut pause) {
        eprintln!("{error:#}; connecting again");
        sleep(pause);
        pause = (pause * 2).min(Duration::from_secs(30));
    }
    bail!("there is no such image, or no longer")
}

impl Bot {
    /// Follows the log from where it was left, until there is no such image.
    fn follow(&mut self, at: &Uri, upload_id: UploadRef, pause: &mut Duration) -> Result<()> {
        let is_tls = at.scheme_str() == Some("wss");
        let port = at.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let tcp = TcpStream::connect(format!("{}:{port}", at.host().unwrap_or_default()))?;
        tcp.set_read_timeout(Some(TIMEOUT))?;
        let request = ClientRequestBuilder::new(at.clone()).with_sub_protocol(SUBPROTOCOL);
        let (mut socket, _) = client_tls(request, tcp)?;
        let watch = ClientCommand::Watch {
            upload_id,
            after: Some(self.last.seq),
            after_id: self.last.id,
            viewer: None,
        };
        socket.send(Frame::text(serde_json::to_string(&watch)?))?;
        let mut is_watched = false; // What comes before the answer may be of another log.
        loop {
            match serde_json::from_str(socket.read()?.to_text()?) {
                Ok(Event::Watched { head, reset, .. }) => {
                    self.last = if reset { Cursor::default() } else { self.last }; // Another log is read anew.
                    self.catch_up(head)?;
                    (is_watched, *pause) = (true, PAUSE);
                }
                Ok(Event::Refused(no)) if !FINAL.contains(&no.code) => bail!(no.detail),
                Ok(Event::Refused(_) | Event::UploadDeleted { .. }) => return Ok(()),
                Ok(_) if !is_watched => {}
                Ok(Event::HeadAdvanced { head, .. }) => self.catch_up(head)?,
                Ok(Event::MessagePosted { message, .. }) => self.catch_up(message.seq)?,
                // Others, those of later versions too, and pings. A deletion is fetched with the next message.
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Fetches what is new in the log, and answers the questions in it.
    fn catch_up(&mut self, head: Seq) -> Result<()> {
        while self.last.seq < head {
            let url = format!("{}/messages?after={}", self.api, self.last.seq);
            let page: LogPage = self.http.get(url).call()?.body_mut().read_json()?;
            ensure!(!page.entries.is_empty(), "the log ends before {head}");
            for entry in page.entries {
                if let Some(asked) = entry.message().filter(|it| it.content.as_str() == "!size") {
                    let upload: Upload = self.http.get(&self.api).call()?.body_mut().read_json()?;
                    let (width, height) = (upload.content.width, upload.content.height);
                    let answer = NewMessage {
                        author_name: "Size".parse()?,
                        content: format!("{width} × {height} pixels").parse()?,
                        client_message_id: format!("size-{}", asked.id).parse()?,
                        at: asked.at,
                        author: None,
                    };
                    let messages = format!("{}/messages", self.api);
                    self.http.post(messages).send_json(&answer)?;
                }
                // Not before the answer is stored: if it was not, it is posted after reconnecting.
                (self.last.seq, self.last.id) = (entry.seq(), Some(entry.id()));
            }
        }
        Ok(())
    }
}
