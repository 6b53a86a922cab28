//! Metrics of HTTP requests.

use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::metrics::duration_histogram;

/// Counts and durations of requests. Clones share them.
#[derive(Debug, Clone)]
pub struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<DurationLabels, Histogram, fn() -> Histogram>,
    resized: Family<[(&'static str, &'static str); 1], Counter>,
}

/// Labelled by the route's pattern, never by the path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DurationLabels {
    route: String,
    method: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: u16,
}

impl HttpMetrics {
    /// Registers the metrics.
    pub fn registered(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(duration_histogram as fn() -> Histogram),
            resized: Family::default(),
        };
        registry.register(
            "http_requests",
            "Requests answered, by route, method and status",
            metrics.requests.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "Time from a request's head to its answer's head",
            Unit::Seconds,
            metrics.durations.clone(),
        );
        registry.register(
            "images_resized",
            "Smaller pictures of images, by outcome: made, impossible (the image itself is shown), failed",
            metrics.resized.clone(),
        );
        metrics
    }

    /// Counts an attempt to make a smaller picture.
    pub fn count_resized(&self, outcome: &'static str) {
        self.resized.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// Records that a request to this route (a pattern, such as `/u/{id}`) was answered.
    pub fn record(&self, route: &str, method: &Method, status: StatusCode, elapsed: Duration) {
        let (route, method) = (route.to_owned(), method_label(method));
        let duration = DurationLabels {
            route: route.clone(),
            method,
        };
        self.durations
            .get_or_create(&duration)
            .observe(elapsed.as_secs_f64());
        let status = status.as_u16();
        let requests = RequestLabels {
            route,
            method,
            status,
        };
        self.requests.get_or_create(&requests).inc();
    }
}

/// Clients may invent methods, so only those that are served have a label of their own.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}
