//! Capture windows: when one begins and ends, and which records it gives.
//!
//! ```text
//!  interval 60 s, aligned to Unix time
//!  ──┬── start_s = 1418530020 ──────────────────────┬── end_s = 1418530080 ──▶
//!    └ belongs to this window                       └ belongs to the next one
//! ```
//!
//! Source: VPC user guide, "Aggregation interval" and "No data and skipped records".

use crate::record::{Body, InterfaceFacts, Record};
use crate::sample::{FlowSample, InterfaceSamples};
use std::num::NonZeroU32;
use weir_types::time::UnixMillis;

/// One capture window: `start_s <= t < end_s`, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Window {
    pub start_s: i64,
    pub end_s: i64,
}

impl Window {
    pub fn contains(self, instant: UnixMillis) -> bool {
        (self.start_s..self.end_s).contains(&instant.seconds())
    }

    pub fn start(self) -> UnixMillis {
        UnixMillis::from_seconds(self.start_s)
    }

    pub fn end(self) -> UnixMillis {
        UnixMillis::from_seconds(self.end_s)
    }
}

/// Divides time into windows that begin at multiples of the interval, so that
/// hosts agree on them without talking to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowClock {
    interval_s: NonZeroU32,
}

impl WindowClock {
    pub fn new(interval_s: NonZeroU32) -> Self {
        Self { interval_s }
    }

    pub fn interval_s(self) -> u32 {
        self.interval_s.get()
    }

    /// The window that `now` lies in.
    pub fn window_at(self, now: UnixMillis) -> Window {
        let interval_s = i64::from(self.interval_s.get());
        let start_s = now.seconds().div_euclid(interval_s) * interval_s;
        Window { start_s, end_s: start_s + interval_s }
    }

    /// The end of the window that `now` lies in: always later than `now`.
    pub fn next_boundary(self, now: UnixMillis) -> UnixMillis {
        self.window_at(now).end()
    }
}

/// The records of one interface and window, for all its flow logs; each takes
/// what it wants by [`Record::is_wanted_by`].
///
/// One record per sample, in the order of first packets. An interface without
/// traffic gives one NODATA record; traffic that could not be counted gives one
/// SKIPDATA record, after the others. The result is never empty.
pub fn records<'a>(
    window: Window,
    facts: &'a InterfaceFacts,
    samples: &'a InterfaceSamples,
) -> Vec<Record<'a>> {
    let mut flows: Vec<&FlowSample> = samples.flows.iter().collect();
    flows.sort_by_key(|flow| {
        let ports = (flow.src_port, flow.dst_port);
        (flow.first, flow.src, flow.dst, ports, flow.protocol, flow.direction, flow.action, flow.last)
    });
    let of_window = |body| Record { facts, body, start_s: window.start_s, end_s: window.end_s };
    let mut records: Vec<Record<'a>> = flows.into_iter().map(|flow| Record::of_flow(facts, flow)).collect();
    let skipped = Body::SkipData {
        packets: samples.skipped_packets,
        bytes: samples.skipped_bytes,
        flows: samples.skipped_flows,
    };
    if samples.skipped_packets > 0 {
        records.push(of_window(skipped));
    } else if records.is_empty() {
        records.push(of_window(Body::NoData));
    }
    records
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
