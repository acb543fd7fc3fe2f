//! A full spool: the oldest windows become SKIPDATA, one record for each
//! stream, so that there is room for the newest.
//!
//! Never touched is what may be at its destination already: the first file of a
//! flow log, and the files of a plan.

use super::file::{Event, Header, Skipped, SpoolFile, StreamEvents};
use super::{Key, Spool, SpoolError, file, io_error, sync_dir};
use std::fs;
use weir_flow::field::Field;
use weir_flow::format::LogFormat;
use weir_flow::record::{Body, InterfaceFacts, Record};
use weir_flow::surroundings::{Surroundings, TagValues};
use weir_flow::value::Value;
use weir_types::id::{EniId, FlowLogId};
use weir_types::time::UnixMillis;

impl Spool {
    /// Makes windows into SKIPDATA, the oldest first, until `needed` bytes more
    /// have room or nothing is left to be skipped.
    pub(super) fn make_room(&self, needed: u64) -> Result<(), SpoolError> {
        for (flow_log, key) in self.skippable() {
            if self.lock().bytes.saturating_add(needed) <= self.max_bytes {
                break;
            }
            self.skip(&flow_log, key)?;
        }
        Ok(())
    }

    /// What was given up of a flow log since its last delivery.
    pub fn skipped(&self, flow_log: &FlowLogId) -> Option<Skipped> {
        self.lock().skipped.get(flow_log).copied()
    }

    /// The flow log's records arrive again.
    pub(crate) fn forgive(&self, flow_log: &FlowLogId) {
        self.lock().skipped.remove(flow_log);
    }

    fn skippable(&self) -> Vec<(FlowLogId, Key)> {
        let index = self.lock();
        let mut found: Vec<(Key, FlowLogId)> = Vec::new();
        for (flow_log, files) in &index.logs {
            let planned = index.plans.get(flow_log).map(Vec::as_slice).unwrap_or_default();
            let free = files.iter().skip(1).filter(|(key, slot)| !slot.is_skipped && !planned.contains(key));
            found.extend(free.map(|(&key, _)| (key, flow_log.clone())));
        }
        found.sort_unstable();
        found.into_iter().map(|(key, flow_log)| (flow_log, key)).collect()
    }

    fn skip(&self, flow_log: &FlowLogId, key: Key) -> Result<(), SpoolError> {
        let Some(was) = self.lock().slot(flow_log, key) else { return Ok(()) };
        let folder = self.folder(flow_log);
        let path = folder.join(key.file_name());
        let Ok(bytes) = fs::read(&path) else { return Ok(()) };
        // A file that cannot be read is set aside by whoever wants to send it.
        let Ok(whole) = file::decode(&bytes) else { return Ok(()) };
        let skipped = whole.header.skipped.is_none().then(|| skip_data(&whole)).flatten();
        let Some((less, lost)) = skipped else {
            self.lock().mark_skipped(flow_log, key);
            return Ok(());
        };
        let bytes = file::encode(&less)?;
        let size = bytes.len() as u64;
        let temporary = folder.join(format!("{}.skip.tmp", key.file_name()));
        self.write_temporary(&folder, &temporary, &bytes)?;
        let mut index = self.lock();
        // Delivered, written again or forgotten meanwhile.
        if index.slot(flow_log, key).is_none_or(|slot| slot.generation != was.generation) {
            drop(index);
            drop(fs::remove_file(&temporary));
            return Ok(());
        }
        self.step("rename a temporary file to", &path)?;
        fs::rename(&temporary, &path).map_err(io_error("rename a temporary file to", &path))?;
        index.insert(flow_log, key, size);
        index.mark_skipped(flow_log, key);
        *index.skipped.entry(flow_log.clone()).or_default() += lost;
        drop(index);
        tracing::warn!(
            %flow_log, window_end_s = key.window_end_s, records = lost.records, packets = lost.packets,
            bytes = lost.bytes, "the spool is full: a window that could not be delivered is SKIPDATA now"
        );
        sync_dir(&folder)
    }
}

/// The file with one record for each stream, and what it lost. `None` if its
/// format is not known, or if it would not be smaller.
fn skip_data(file: &SpoolFile) -> Option<(SpoolFile, Skipped)> {
    let format = LogFormat::parse(file.header.log_format.as_deref()?).ok()?;
    let mut less = SpoolFile::new(file.header.clone());
    let mut lost = Skipped { windows: 1, ..Skipped::default() };
    for StreamEvents { stream, events } in &file.streams {
        if let [only] = events.as_slice()
            && value(&format, &only.message, Field::LogStatus).is_none_or(|status| status != "OK")
        {
            less.push(stream, only.timestamp, only.message.clone());
            continue;
        }
        let number = |event: &Event, field| value(&format, &event.message, field)?.parse::<u64>().ok();
        for event in events {
            lost.records += 1;
            lost.packets = lost.packets.saturating_add(number(event, Field::Packets).unwrap_or_default());
            lost.bytes = lost.bytes.saturating_add(number(event, Field::Bytes).unwrap_or_default());
        }
        if let Some(first) = events.first() {
            let at = UnixMillis::from_seconds(file.header.window_start_s);
            less.push(stream, at, skip_line(&format, &file.header, &first.message));
        }
    }
    less.header.skipped = Some(lost);
    (lost.records > 0).then_some((less, lost))
}

fn value<'a>(format: &LogFormat, line: &'a str, field: Field) -> Option<&'a str> {
    line.split(' ').nth(format.position(field)?)
}

/// A record's line as SKIPDATA: what is known of the interface stays, what is
/// of the flow becomes `-`. Source: VPC user guide, "No data and skipped records".
fn skip_line(format: &LogFormat, header: &Header, line: &str) -> String {
    let known = || [Some(String::new()), Some(String::new())];
    let facts = InterfaceFacts {
        az_id: Some(String::new()),
        vpc: "vpc-00000000".parse().ok(),
        subnet: "subnet-00000000".parse().ok(),
        instance: "i-00000000".parse().ok(),
        around: Surroundings {
            tags: TagValues { instance: known(), interface: known() },
            ..Default::default()
        },
        ..InterfaceFacts::new("", "", EniId::from_random(0))
    };
    let body = Body::SkipData { packets: 0, bytes: 0, flows: 0 };
    let record = Record { facts: &facts, body, start_s: header.window_start_s, end_s: header.window_end_s };
    let mut values = line.split(' ');
    let texts = format.fields().iter().map(|&field| {
        let was = values.next().unwrap_or("-");
        match field {
            Field::Start => header.window_start_s.to_string(),
            Field::End => header.window_end_s.to_string(),
            Field::LogStatus => "SKIPDATA".to_owned(),
            _ if field.get(&record, format.version()) == Value::Null => "-".to_owned(),
            _ => was.to_owned(),
        }
    });
    texts.collect::<Vec<String>>().join(" ")
}
