//! Figures of requests.

use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::metrics::latencies;

/// What is told about requests. Clones share it.
#[derive(Debug, Clone)]
pub struct HttpMetrics {
    answered: Family<Answered, Counter>,
    seconds: Family<Asked, Histogram, fn() -> Histogram>,
}

/// A request, by its route's pattern and never by its path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    route: String,
    method: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    method: &'static str,
    status: u16,
}

impl HttpMetrics {
    /// Figures that are told with the others of this registry.
    pub fn registered(registry: &mut Registry) -> Self {
        let metrics = Self {
            answered: Family::default(),
            seconds: Family::new_with_constructor(latencies as fn() -> Histogram),
        };
        registry.register(
            "http_requests",
            "Requests answered, by route, method and status",
            metrics.answered.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "Time from a request's head to its answer's head",
            Unit::Seconds,
            metrics.seconds.clone(),
        );
        metrics
    }

    /// A request to this route (a pattern, as `/u/{id}`) was answered.
    pub fn answered(&self, route: &str, method: &Method, status: StatusCode, after: Duration) {
        let (route, method) = (route.to_owned(), name(method));
        let asked = Asked {
            route: route.clone(),
            method,
        };
        self.seconds
            .get_or_create(&asked)
            .observe(after.as_secs_f64());
        let status = status.as_u16();
        let answered = Answered {
            route,
            method,
            status,
        };
        self.answered.get_or_create(&answered).inc();
    }
}

/// Clients may make methods up, so only those that are served have a series of their own.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}
