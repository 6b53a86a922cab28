//! `tonesa admin`: moderates a service from a shell, by its API.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use app::model::{BlockedAddresses, MessageId, UploadId, UploadRef, UploadsPage};
use app::problem::Problem;
use clap::Subcommand;
use http::header::AUTHORIZATION;
use http::{Method, Request, Response};
use serde::de::DeserializeOwned;
use thiserror::Error;
use ureq::{Agent, Body};

use super::check::connect_address;
use crate::config::{Config, PublicUrl};

/// How long an answer may take: removing an image that is to be refused reads it first.
const TIMEOUT: Duration = Duration::from_secs(40);

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Lists uploads with their reports, the newest first
    List {
        /// Only those with reports
        #[arg(long)]
        reported: bool,
        /// Only those that are older than this one, for the next page
        #[arg(long, value_name = "ID")]
        before: Option<UploadId>,
    },
    /// Removes an upload and its messages
    Remove {
        /// Its id, as in its address
        upload: UploadRef,
        /// Refuse the same image from now on
        #[arg(long)]
        block: bool,
    },
    /// Removes a message
    RemoveMessage {
        /// The id of its upload, as in its address
        upload: UploadRef,
        /// Its number, as in its link `#m7`
        number: u64,
        /// Its id: if another message has the number, nothing is removed
        #[arg(long)]
        id: Option<MessageId>,
    },
    /// Removes the reports of an upload
    Dismiss {
        /// Its id, as in its address
        upload: UploadRef,
    },
    /// Lists the addresses that are blocked
    Blocked,
    /// Takes nothing from an address for a while; of IPv6 from its network of 64 bits
    Block {
        /// The address, as the log names it
        address: IpAddr,
        /// For how many seconds
        #[arg(long, default_value_t = 86_400)]
        seconds: u32,
    },
    /// Ends that
    Unblock {
        /// The address
        address: IpAddr,
    },
}

/// Why it was not done.
#[derive(Debug, Error)]
pub enum AdminError {
    /// No token is set.
    #[error("TONESA_ADMIN_TOKEN must be set to the token of the service")]
    NoToken,
    /// The service did not answer.
    #[error("{address} does not answer: {source}")]
    NoAnswer {
        /// Its address.
        address: String,
        /// Why not.
        source: Box<ureq::Error>,
    },
    /// The service answered something else than its API does.
    #[error("{address} answers what no service of this kind does: {source}")]
    BadAnswer {
        /// Its address.
        address: String,
        /// What is wrong.
        source: Box<ureq::Error>,
    },
    /// The service refused.
    #[error("{0}")]
    Refused(String),
}

/// Carries out a command, and returns what it prints.
///
/// # Errors
/// See [`AdminError`].
pub fn run(command: Admin, config: &Config) -> Result<String, AdminError> {
    let token = config.admin_token.as_ref().ok_or(AdminError::NoToken)?;
    let agent = Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        // A redirect is no answer of the API.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build();
    let api = Api {
        agent: agent.into(),
        origin: origin(config),
        token: token.expose(),
    };
    api.carry_out(command)
}

/// Where the service is: its public address, or the node on this machine.
fn origin(config: &Config) -> String {
    let public_url = config.public_url.as_ref().map(PublicUrl::as_str);
    let address = config.address();
    let here = SocketAddr::new(connect_address(address.ip()), address.port());
    public_url.map_or_else(|| format!("http://{here}"), str::to_owned)
}

/// Replaces characters that could change how a terminal shows what comes after them.
fn printable(text: &str) -> String {
    let replaced = |c: char| match c {
        '\n' => c,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ if c.is_control() => '\u{fffd}',
        _ => c,
    };
    text.chars().map(replaced).collect()
}

/// The service, with the token.
struct Api<'a> {
    agent: Agent,
    origin: String,
    token: &'a str,
}

impl Api<'_> {
    fn carry_out(&self, command: Admin) -> Result<String, AdminError> {
        match command {
            Admin::List { reported, before } => return self.list(reported, before),
            Admin::Blocked => return self.blocked(),
            Admin::Remove { upload, block } => {
                let address = format!("uploads/{upload}?block={}", u8::from(block));
                self.send(Method::DELETE, &address)?;
            }
            Admin::RemoveMessage { upload, number, id } => {
                let id = id.map(|id| format!("?id={id}")).unwrap_or_default();
                let address = format!("uploads/{upload}/messages/{number}{id}");
                self.send(Method::DELETE, &address)?;
            }
            Admin::Dismiss { upload } => {
                let address = format!("uploads/{upload}/reports");
                self.send(Method::DELETE, &address)?;
            }
            Admin::Block { address, seconds } => {
                let address = format!("blocked-addresses/{address}?seconds={seconds}");
                self.send(Method::PUT, &address)?;
            }
            Admin::Unblock { address } => {
                let address = format!("blocked-addresses/{address}");
                self.send(Method::DELETE, &address)?;
            }
        }
        Ok(String::new())
    }

    fn list(&self, reported: bool, before: Option<UploadId>) -> Result<String, AdminError> {
        let before = before.map(|id| format!("&before={id}")).unwrap_or_default();
        let address = format!("uploads?reported={}{before}", u8::from(reported));
        let answer = self.send(Method::GET, &address)?;
        let page: UploadsPage = self.read(answer)?;
        let mut lines = String::new();
        for listed in page.uploads {
            let upload = listed.upload;
            // Writing to a text cannot fail.
            _ = writeln!(
                lines,
                "{}  {}/u/{}",
                upload.created_at, self.origin, upload.short_id
            );
            for report in listed.reports {
                let reason = printable(report.reason.as_str()).replace('\n', "\n    ");
                _ = writeln!(lines, "  {}  {reason}", report.created_at);
            }
        }
        if let Some(next) = page.next {
            _ = writeln!(lines, "older ones: --before {next}");
        }
        Ok(lines)
    }

    fn blocked(&self) -> Result<String, AdminError> {
        let answer = self.send(Method::GET, "blocked-addresses")?;
        let blocked: BlockedAddresses = self.read(answer)?;
        let lines = blocked.addresses.iter();
        let lines = lines.map(|it| format!("{}  until {}\n", it.address, it.until));
        Ok(lines.collect())
    }

    fn send(&self, method: Method, path: &str) -> Result<Response<Body>, AdminError> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/api/admin/{path}", self.origin))
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .body(())
            .map_err(|error| self.no_answer(error.into()))?;
        let answer = self.agent.run(request);
        let mut answer = answer.map_err(|source| self.no_answer(source))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let problem = answer.body_mut().read_json::<Problem>();
        Err(AdminError::Refused(problem.map_or_else(
            |_| format!("{} answers {}", self.origin, answer.status()),
            |problem| printable(&problem.detail),
        )))
    }

    fn read<T: DeserializeOwned>(&self, mut answer: Response<Body>) -> Result<T, AdminError> {
        let read = answer.body_mut().read_json();
        read.map_err(|source| AdminError::BadAnswer {
            address: self.origin.clone(),
            source: Box::new(source),
        })
    }

    fn no_answer(&self, source: ureq::Error) -> AdminError {
        AdminError::NoAnswer {
            address: self.origin.clone(),
            source: Box::new(source),
        }
    }
}
