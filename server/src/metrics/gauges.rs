//! What is a state of the node rather than an event: read when it is asked for, so that it costs nothing otherwise.

use std::sync::atomic::Ordering;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::class;
use crate::broker::DeliveryClass;
use crate::logs;
use crate::state::Node;
use crate::sweep_status::SweepProblem;

type Labelled<const N: usize> = Family<[(&'static str, &'static str); N], Gauge>;

#[derive(Debug, Default)]
pub(super) struct Gauges {
    sockets: Gauge,
    sockets_max: Gauge,
    topics: Gauge,
    frames_waiting: Labelled<1>,
    uploads: Gauge,
    bytes_waiting: Gauge,
    answer_bytes: Gauge,
    decodes: Gauge,
    decodes_waiting: Gauge,
    backends: Labelled<2>,
    sweep_problem: Labelled<1>,
    /// Counted where it happens.
    log_lines_dropped: Counter,
}

impl Gauges {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let gauges = Self::default();
        for (name, help, gauge) in [
            ("sockets_open", "Open sockets", &gauges.sockets),
            (
                "sockets_max",
                "Open sockets that this node allows",
                &gauges.sockets_max,
            ),
            (
                "topics_watched",
                "Uploads that this node's sockets watch",
                &gauges.topics,
            ),
            (
                "uploads_running",
                "Uploads that have a place: received, checked or kept",
                &gauges.uploads,
            ),
            (
                "bytes_waiting",
                "Bytes that wait to be written to this node's sockets; a frame that waits for many counts once",
                &gauges.bytes_waiting,
            ),
            (
                "answer_bytes",
                "Bytes of answers that are being sent; what is sent to many counts once",
                &gauges.answer_bytes,
            ),
            (
                "decodes_running",
                "Pictures that are being decoded",
                &gauges.decodes,
            ),
            (
                "decodes_waiting",
                "Pictures that wait to be decoded",
                &gauges.decodes_waiting,
            ),
        ] {
            registry.register(name, help, gauge.clone());
        }
        let waiting = "Frames that wait to be written to this node's sockets";
        registry.register("frames_waiting", waiting, gauges.frames_waiting.clone());
        let backends = "1 for the kind of each backend that this node uses";
        registry.register("backends", backends, gauges.backends.clone());
        let problem = "1 for what keeps images from being swept";
        registry.register("sweep_problem", problem, gauges.sweep_problem.clone());
        registry.register(
            "log_lines_dropped",
            "Log lines dropped since nobody read them fast enough",
            gauges.log_lines_dropped.clone(),
        );
        gauges
    }

    pub(super) fn read(&self, node: &Node) {
        set(&self.sockets, node.sockets.taken());
        set(&self.sockets_max, node.config.limits.sockets);
        set(&self.topics, node.hub.topics());
        set(&self.uploads, node.decoders.uploads());
        set(&self.decodes, node.decoders.decoding());
        set(&self.decodes_waiting, node.decoders.waiting());
        set(&self.bytes_waiting, node.hub.bytes_waiting());
        set(&self.answer_bytes, node.answers.taken());
        let (messages, touches) = node.hub.waiting();
        for (class, frames) in [
            (DeliveryClass::Message, messages),
            (DeliveryClass::Touch, touches),
        ] {
            let gauge = self.frames_waiting.get_or_create(&class::label(class));
            set(&gauge, frames);
        }
        let problem = node.sweep.problem().map(|problem| problem.name());
        for name in SweepProblem::NAMES {
            let gauge = self.sweep_problem.get_or_create(&[("problem", name)]);
            gauge.set(i64::from(problem == Some(name)));
        }
        let dropped = self.log_lines_dropped.inner();
        dropped.fetch_max(logs::dropped_lines(), Ordering::Relaxed);
        let kinds = node.config.shared.kinds();
        for (backend, kind) in [
            ("store", kinds.store),
            ("blobs", kinds.blobs),
            ("broker", kinds.broker),
        ] {
            let labels = [("backend", backend), ("kind", kind)];
            self.backends.get_or_create(&labels).set(1);
        }
    }
}

fn set(gauge: &Gauge, value: usize) {
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
}
