//! From a closed window to spool files: one per flow log.
//!
//! An interface that was detached and attached again in one window was counted
//! under two numbers: what they counted is added up, so that a window has one
//! record per flow.

use super::around;
use super::containers::Containers;
use super::exclude::Excluded;
use super::follow::{Attached, Follower};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tracing::error;
use weir_capture::{ClosedWindow, InterfaceNumber};
use weir_delivery::logs::stream_name;
use weir_delivery::spool::{Header, SpoolFile, part_of};
use weir_flow::format::LogFormat;
use weir_flow::record::{InterfaceFacts, Record};
use weir_flow::sample::{FlowSample, InterfaceSamples};
use weir_flow::surroundings::AwsRanges;
use weir_flow::text::write_record;
use weir_flow::window::{Window, records};
use weir_types::id::EniId;
use weir_types::orders::{FlowLogOrder, InterfaceOrder, Orders};
use weir_types::time::UnixMillis;

/// When the files belong to, and what they are called.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub window: Window,
    /// The window's end in the files' names.
    pub file_end_s: i64,
    /// Another one for another agent.
    pub run: u64,
    pub now: UnixMillis,
}

/// The files of a window, one for each flow log that has a record in it.
pub fn files(
    place: Place,
    closed: &ClosedWindow,
    orders: &Orders,
    follower: &Follower,
    excluded: &Excluded,
    aws: &Arc<AwsRanges>,
    containers: &Containers,
) -> Vec<SpoolFile> {
    let mut interfaces: BTreeMap<&EniId, (&Attached, InterfaceSamples)> = BTreeMap::new();
    // Attached ones come before departed ones: the newest order stands.
    for attached in follower.of_window() {
        let Some(samples) = closed.interfaces.get(&InterfaceNumber(attached.number)) else { continue };
        let id = &attached.order.attachment.interface;
        let (_, sum) = interfaces.entry(id).or_insert_with(|| (attached, InterfaceSamples::default()));
        add(sum, samples);
    }
    let names_wanted =
        orders.flow_logs.iter().any(|flow_log| flow_log.log_format.contains("weir-deciding-rule"));
    let neighbors = around::neighbors(orders);
    let interfaces: Vec<(&InterfaceOrder, InterfaceFacts, InterfaceSamples)> = interfaces
        .into_values()
        .map(|(attached, mut samples)| {
            samples.flows.retain(|flow| !excluded.holds(&attached.order, flow));
            let mut facts = InterfaceFacts::from(&attached.order);
            if names_wanted {
                facts.rules = attached.names.clone();
            }
            if let Some(neighbors) = neighbors.get(&attached.order.vpc) {
                facts.around.neighbors = neighbors.clone();
            }
            facts.around.aws = aws.clone();
            facts.around.task = containers.of(&attached.order.attachment.interface);
            (&attached.order, facts, samples)
        })
        .collect();
    let records: Vec<(&InterfaceOrder, Vec<Record<'_>>)> = interfaces
        .iter()
        .map(|(order, facts, samples)| (*order, records(place.window, facts, samples)))
        .collect();
    orders
        .flow_logs
        .iter()
        .map(|flow_log| file(place, orders, flow_log, &records))
        .filter(|file| !file.is_empty())
        .collect()
}

/// Adds samples of the same interface and window.
fn add(sum: &mut InterfaceSamples, more: &InterfaceSamples) {
    sum.skipped_packets += more.skipped_packets;
    sum.skipped_bytes += more.skipped_bytes;
    sum.skipped_flows += more.skipped_flows;
    if sum.flows.is_empty() {
        sum.flows.clone_from(&more.flows);
        return;
    }
    let key = |flow: &FlowSample| {
        let FlowSample { src, dst, src_port, dst_port, protocol, direction, action, .. } = *flow;
        (src, dst, src_port, dst_port, protocol, direction, action)
    };
    let mut known: HashMap<_, usize> = sum.flows.iter().map(key).zip(0..).collect();
    for flow in &more.flows {
        let at = *known.entry(key(flow)).or_insert(sum.flows.len());
        match sum.flows.get_mut(at) {
            Some(same) => {
                same.packets += flow.packets;
                same.bytes += flow.bytes;
                same.first = same.first.min(flow.first);
                same.last = same.last.max(flow.last);
                same.tcp_flags |= flow.tcp_flags;
            }
            None => sum.flows.push(*flow),
        }
    }
}

fn file(
    place: Place,
    orders: &Orders,
    flow_log: &FlowLogOrder,
    records: &[(&InterfaceOrder, Vec<Record<'_>>)],
) -> SpoolFile {
    let covered = || records.iter().filter(|(interface, _)| flow_log.covers(interface));
    let mut file = SpoolFile::new(Header {
        flow_log: flow_log.id.clone(),
        account: flow_log.account.clone(),
        region: flow_log.region.clone(),
        destination: flow_log.destination.clone(),
        window_start_s: place.window.start_s,
        window_end_s: place.file_end_s,
        part: part_of(covered().map(|(interface, _)| &interface.attachment.interface)) ^ place.run,
        created: place.now,
        log_format: Some(flow_log.log_format.clone()),
        skipped: None,
    });
    let format = match LogFormat::parse(&flow_log.log_format) {
        Ok(format) => format,
        Err(error) => {
            error!(%error, flow_log = %flow_log.id, "the flow log's format cannot be read; it has no records");
            return file;
        }
    };
    for (interface, records) in covered() {
        let stream = stream_name(&interface.attachment.interface, flow_log.traffic_type);
        // All records of an interface share what is known of it, but for the
        // tags, which each flow log chooses.
        let tagged = records.first().filter(|_| flow_log.has_tag_fields()).map(|first| {
            let mut facts = first.facts.clone();
            facts.around.tags = around::tags(orders, flow_log, interface);
            facts
        });
        for record in records.iter().filter(|record| record.is_wanted_by(flow_log.traffic_type)) {
            let mut line = String::new();
            let facts = tagged.as_ref().unwrap_or(record.facts);
            write_record(&format, &Record { facts, ..*record }, &mut line);
            file.push(&stream, record.timestamp(), line);
        }
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_types::net::{Action, Direction, Protocol};

    fn flow(dst_port: u16, packets: u64, first_ms: i64, last_ms: i64, tcp_flags: u8) -> FlowSample {
        FlowSample {
            src: [203, 0, 113, 12].into(),
            dst: [10, 0, 1, 10].into(),
            src_port: 40_000,
            dst_port,
            protocol: Protocol::TCP,
            direction: Direction::Ingress,
            action: Action::Accept,
            packets,
            bytes: packets * 60,
            first: UnixMillis(first_ms),
            last: UnixMillis(last_ms),
            tcp_flags,
            decision: Default::default(),
        }
    }

    #[test]
    fn what_two_numbers_counted_of_one_interface_is_one_flow() {
        let samples = |flows, skipped| InterfaceSamples {
            flows,
            skipped_packets: skipped,
            skipped_bytes: skipped * 9,
            skipped_flows: skipped * 2,
        };
        let rejected = FlowSample { action: Action::Reject, ..flow(80, 1, 5, 5, 2) };
        let mut sum = InterfaceSamples::default();
        add(&mut sum, &samples(vec![flow(80, 2, 7, 9, 2)], 0));
        add(&mut sum, &samples(vec![flow(80, 3, 1, 4, 1), flow(81, 1, 2, 2, 0), rejected], 2));
        add(&mut sum, &samples(vec![flow(81, 1, 3, 3, 0)], 1));
        let expected = samples(vec![flow(80, 5, 1, 9, 3), flow(81, 2, 2, 3, 0), rejected], 3);
        assert_eq!(sum, expected);
    }
}
