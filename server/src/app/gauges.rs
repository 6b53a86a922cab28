//! Metrics of the node's current state. They are read when the metrics are collected and cost nothing otherwise.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::logs;
use super::sweeper::status::{SweepProblem, SweepStatus};
use crate::admission::response_budget::ResponseBudget;
use crate::admission::slots::Slots;
use crate::admission::storage_quota::StorageQuota;
use crate::broker::DeliveryClass;
use crate::broker::class_counter::label;
use crate::config::Kinds;
use crate::hub::Hub;
use crate::image::DecodePool;

/// The parts whose state is reported.
pub(super) struct Gauges {
    pub sockets: Slots,
    pub quota: StorageQuota,
    pub response_budget: ResponseBudget,
    pub max_sockets: usize,
    pub hub: Hub,
    pub decoders: DecodePool,
    pub sweep: Arc<SweepStatus>,
    pub kinds: Kinds,
}

impl fmt::Debug for Gauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gauges").finish_non_exhaustive()
    }
}

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.encode_counts(&mut encoder)?;
        self.encode_storage(&mut encoder)?;
        self.encode_families(&mut encoder)?;
        let dropped = encoder.encode_descriptor(
            "log_lines_dropped",
            "Log lines dropped since nobody read them fast enough",
            None,
            MetricType::Counter,
        )?;
        ConstCounter::new(logs::dropped_lines()).encode(dropped)
    }
}

impl Gauges {
    /// How much there is of something at this node.
    fn encode_counts(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (hub, decoders) = (&self.hub, &self.decoders);
        for (name, help, value) in [
            ("sockets_open", "Open sockets", self.sockets.taken()),
            (
                "sockets_max",
                "Open sockets that this node allows",
                self.max_sockets,
            ),
            (
                "topics_watched",
                "Uploads that this node's sockets watch",
                hub.topic_count(),
            ),
            (
                "uploads_running",
                "Uploads that are being received, checked or stored",
                decoders.uploads(),
            ),
            (
                "bytes_waiting",
                "Bytes that wait to be written to this node's sockets; a frame that waits for many counts once",
                hub.queued_bytes(),
            ),
            (
                "answer_bytes",
                "Bytes of answers that are being sent; what is sent to many counts once",
                self.response_budget.reserved(),
            ),
            (
                "decodes_running",
                "Images that are being checked or resized",
                decoders.decoding(),
            ),
            (
                "decodes_waiting",
                "Uploaded images that wait to be checked",
                decoders.waiting(),
            ),
            (
                "resizes_waiting",
                "Turns that smaller pictures wait for, one for each address that has asked",
                decoders.resizes_waiting(),
            ),
        ] {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            gauge(value).encode(metric)?;
        }
        Ok(())
    }

    /// What uploads take, and what they may take.
    fn encode_storage(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        for (name, help, bytes) in [
            (
                "stored_bytes",
                "Bytes of the images of all uploads, at all nodes",
                self.quota.stored(),
            ),
            (
                "storage_left_bytes",
                "Bytes that further uploads at this node may have, by the quota and the disk",
                self.quota.left(),
            ),
        ] {
            // It is not known what is stored until that was read, and without any limit nothing says what is left.
            if let Some(bytes) = bytes {
                let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
                gauge(usize::try_from(bytes).unwrap_or(usize::MAX)).encode(metric)?;
            }
        }
        Ok(())
    }

    /// The gauges with labels.
    fn encode_families(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let queued = self.hub.queued();
        let messages: usize = queued.iter().map(|it| it.messages).sum();
        let touches: usize = queued.iter().map(|it| it.touches).sum();
        family(
            encoder,
            "frames_waiting",
            "Frames that wait to be written to this node's sockets",
            [
                (label(DeliveryClass::Message), messages),
                (label(DeliveryClass::Touch), touches),
            ],
        )?;
        family(
            encoder,
            "backends",
            "1 for the kind of each backend that this node uses",
            [
                ("store", self.kinds.store),
                ("blobs", self.kinds.blobs),
                ("broker", self.kinds.broker),
            ]
            .map(|(backend, kind)| ([("backend", backend), ("kind", kind)], 1)),
        )?;
        let problem = self.sweep.problem().map(|problem| problem.name());
        family(
            encoder,
            "sweep_problem",
            "1 for what keeps images from being swept",
            SweepProblem::NAMES
                .map(|name| ([("problem", name)], usize::from(problem == Some(name)))),
        )
    }
}

/// Encodes a gauge with one series for each of these labels.
fn family<L: EncodeLabelSet>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl IntoIterator<Item = (L, usize)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in values {
        gauge(value).encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}

fn gauge(value: usize) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
}
