//! From a closed window to spool files: one per flow log.

use super::follow::Follower;
use tracing::error;
use weir_capture::{ClosedWindow, InterfaceNumber};
use weir_delivery::logs::stream_name;
use weir_delivery::spool::{Header, SpoolFile, part_of};
use weir_flow::format::LogFormat;
use weir_flow::record::{InterfaceFacts, Record};
use weir_flow::sample::InterfaceSamples;
use weir_flow::text::write_record;
use weir_flow::window::{Window, records};
use weir_types::orders::{FlowLogOrder, InterfaceOrder, Orders};
use weir_types::time::UnixMillis;

/// The files of a window, one for each flow log that has a record in it. `run`
/// is the same for a repeated call and another one for another agent.
pub fn files(
    window: Window,
    closed: &ClosedWindow,
    orders: &Orders,
    follower: &Follower,
    run: u64,
    now: UnixMillis,
) -> Vec<SpoolFile> {
    let interfaces: Vec<(&InterfaceOrder, InterfaceFacts, &InterfaceSamples)> = follower
        .of_window()
        .filter_map(|attached| {
            let samples = closed.interfaces.get(&InterfaceNumber(attached.number))?;
            Some((&attached.order, InterfaceFacts::from(&attached.order), samples))
        })
        .collect();
    let records: Vec<(&InterfaceOrder, Vec<Record<'_>>)> =
        interfaces.iter().map(|(order, facts, samples)| (*order, records(window, facts, samples))).collect();
    orders
        .flow_logs
        .iter()
        .map(|flow_log| file(window, flow_log, &records, run, now))
        .filter(|file| !file.is_empty())
        .collect()
}

fn file(
    window: Window,
    flow_log: &FlowLogOrder,
    records: &[(&InterfaceOrder, Vec<Record<'_>>)],
    run: u64,
    now: UnixMillis,
) -> SpoolFile {
    let covered = || records.iter().filter(|(interface, _)| flow_log.covers(interface));
    let mut file = SpoolFile::new(Header {
        flow_log: flow_log.id.clone(),
        account: flow_log.account.clone(),
        region: flow_log.region.clone(),
        destination: flow_log.destination.clone(),
        window_start_s: window.start_s,
        window_end_s: window.end_s,
        part: part_of(covered().map(|(interface, _)| &interface.attachment.interface)) ^ run,
        created: now,
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
        for record in records.iter().filter(|record| record.is_wanted_by(flow_log.traffic_type)) {
            let mut line = String::new();
            write_record(&format, record, &mut line);
            file.push(&stream, record.timestamp(), line);
        }
    }
    file
}
