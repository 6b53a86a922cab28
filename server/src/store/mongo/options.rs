use std::time::Duration;

use mongodb::options::{
    Acknowledgment, ClientOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern,
};
use tokio::time::timeout;

use super::error::OpenError;
use crate::config::Secret;

/// The database, unless the URL's path names one.
const DATABASE: &str = "tonesa";

/// How long a call waits for a server that it may use, and a write for a majority: less than a call may take.
const WAIT: Duration = Duration::from_secs(2);

/// How long a new connection may take.
const CONNECT: Duration = Duration::from_secs(2);

/// How often each server is asked how it is. One that does not answer within this and [`CONNECT`] is given up, and
/// with it all that waits on its connections; so this bounds how long a frozen one is noticed.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// Connections to each server, and so the most writes of this node whose end is open at one time. More calls wait for
/// a connection, as long as a call may take.
const CONNECTIONS: u32 = 32;

/// Connections that are made at the same time, so that a node that was idle or lost them all is soon back.
const CONNECTING: u32 = 8;

/// Looking up the servers of a `mongodb+srv://` URL may take this long.
const LOOK_UP: Duration = Duration::from_secs(10);

/// Reads the URL. It has the say in all but what this store's guarantees rest on: what is durable, what is read, and
/// that a call is answered in time.
pub(super) async fn parse(url: &Secret) -> Result<ClientOptions, OpenError> {
    let parsed = timeout(LOOK_UP, ClientOptions::parse(url.expose())).await;
    let mut options = parsed
        .map_err(|_| OpenError::Unreachable)?
        .map_err(|error| OpenError::of_url(&error))?;
    options.app_name.get_or_insert_with(|| "tonesa".to_owned());
    options.max_pool_size.get_or_insert(CONNECTIONS);
    options.max_connecting.get_or_insert(CONNECTING);
    at_most(&mut options.server_selection_timeout, WAIT);
    at_most(&mut options.connect_timeout, CONNECT);
    at_most(&mut options.heartbeat_freq, HEARTBEAT);
    options.write_concern = Some(durable());
    options.read_concern = Some(ReadConcern::majority());
    // A secondary lags: it would not show what was answered.
    options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    Ok(options)
}

fn durable() -> WriteConcern {
    WriteConcern::builder()
        .w(Acknowledgment::Majority)
        .journal(true)
        .w_timeout(WAIT)
        .build()
}

pub(super) fn database_name(options: &ClientOptions) -> String {
    let named = options.default_database.clone();
    named.unwrap_or_else(|| DATABASE.to_owned())
}

fn at_most(setting: &mut Option<Duration>, most: Duration) {
    let duration = setting.map_or(most, |told| told.min(most));
    *setting = Some(duration);
}
