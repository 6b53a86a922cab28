use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::app::metrics::Metrics;
use crate::broker::Broker;
use crate::broker::conformance::broker_suite;
use crate::broker::redis::RedisBroker;

async fn nodes(url: &str) -> ([Arc<dyn Broker>; 2], ()) {
    ([node(url).await, node(url).await], ())
}

async fn node(url: &str) -> Arc<dyn Broker> {
    let broker = RedisBroker::open(url, Metrics::default().broker, CancellationToken::new()).await;
    Arc::new(broker.unwrap())
}

mod single {
    use super::*;

    broker_suite!(nodes(&testbed::shared::redis().url()));
}

mod cluster {
    use super::*;

    broker_suite!(nodes(&testbed::shared::cluster().url()));
}
