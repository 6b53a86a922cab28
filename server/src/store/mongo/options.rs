use std::time::Duration;

use mongodb::options::{
    Acknowledgment, ClientOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern,
};
use tokio::time::timeout;

use super::error::OpenError;
use crate::config::Secret;

/// The database's name, unless the URL's path contains one.
const DEFAULT_DATABASE: &str = "tonesa";

/// How long an operation waits for a suitable server, and a write for a majority: less than a call may take.
const WAIT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How often each server is checked. One that does not answer within this time and [`CONNECT_TIMEOUT`] is dropped, with
/// all operations that wait on its connections; so this limits how long a frozen server goes unnoticed.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(2);

/// The most connections to each server, and so the most writes of this node that are undecided at one time. Further
/// operations wait for a connection, as long as a call may take.
const MAX_CONNECTIONS: u32 = 32;

/// The most connections that are opened at the same time, so that a node without any soon has enough.
const MAX_CONNECTING: u32 = 8;

/// How long looking up the servers of a `mongodb+srv://` URL may take.
const DNS_TIMEOUT: Duration = Duration::from_secs(10);

/// Parses the URL. Its options are kept, except where this store's guarantees depend on them: durability, consistency
/// of reads, and timeouts.
pub(super) async fn parse(url: &Secret) -> Result<ClientOptions, OpenError> {
    let parsed = timeout(DNS_TIMEOUT, ClientOptions::parse(url.expose())).await;
    let mut options = parsed
        .map_err(|_| OpenError::Unreachable)?
        .map_err(|error| OpenError::of_url(&error))?;
    options.app_name.get_or_insert_with(|| "tonesa".to_owned());
    options.max_pool_size.get_or_insert(MAX_CONNECTIONS);
    options.max_connecting.get_or_insert(MAX_CONNECTING);
    at_most(&mut options.server_selection_timeout, WAIT_TIMEOUT);
    at_most(&mut options.connect_timeout, CONNECT_TIMEOUT);
    at_most(&mut options.heartbeat_freq, HEARTBEAT_INTERVAL);
    options.write_concern = Some(durable_writes());
    options.read_concern = Some(ReadConcern::majority());
    // A secondary may lag and not have what was acknowledged.
    options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    Ok(options)
}

fn durable_writes() -> WriteConcern {
    WriteConcern::builder()
        .w(Acknowledgment::Majority)
        .journal(true)
        .w_timeout(WAIT_TIMEOUT)
        .build()
}

pub(super) fn database_name(options: &ClientOptions) -> String {
    let named = options.default_database.clone();
    named.unwrap_or_else(|| DEFAULT_DATABASE.to_owned())
}

fn at_most(setting: &mut Option<Duration>, most: Duration) {
    let duration = setting.map_or(most, |duration| duration.min(most));
    *setting = Some(duration);
}
