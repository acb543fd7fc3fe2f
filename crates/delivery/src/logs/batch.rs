//! Streams of events to batches that one PutLogEvents takes.
//!
//! Source: CloudWatch Logs API, PutLogEvents: 1 to 10,000 events; 1,048,576
//! bytes, counted as UTF-8 bytes of each message and 26 more; at most 24 hours
//! from the first to the last; timestamps in ascending order.

use crate::spool::{Event, StreamEvents};

pub(super) const MAX_EVENTS: usize = 10_000;
pub(super) const MAX_BYTES: usize = 1_048_576;
pub(super) const EVENT_OVERHEAD_BYTES: usize = 26;
const MAX_SPAN_MS: i64 = 24 * 60 * 60 * 1000;

/// The events of one request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch<'a> {
    /// Counted over all streams of the file: the same file always gives the
    /// same batches with the same numbers.
    pub number: usize,
    pub stream: &'a str,
    /// Ascending.
    pub events: Vec<&'a Event>,
}

/// All events in batches, and the number of events that no batch can hold: too
/// large, or empty.
pub(super) fn batches(streams: &[StreamEvents]) -> (Vec<Batch<'_>>, u64) {
    let mut batches: Vec<Batch<'_>> = Vec::new();
    let mut impossible = 0;
    for StreamEvents { stream, events } in streams {
        let mut events: Vec<&Event> = events.iter().collect();
        // Stable: records of one second keep their order.
        events.sort_by_key(|event| event.timestamp);
        let mut open = Batch { number: batches.len(), stream, events: Vec::new() };
        let mut bytes = 0;
        for event in events {
            let size = event.message.len() + EVENT_OVERHEAD_BYTES;
            if event.message.is_empty() || size > MAX_BYTES {
                impossible += 1;
                continue;
            }
            let span_ms =
                open.events.first().map_or(0, |first| event.timestamp.0.saturating_sub(first.timestamp.0));
            if open.events.len() == MAX_EVENTS || bytes + size > MAX_BYTES || span_ms > MAX_SPAN_MS {
                batches.push(open);
                open = Batch { number: batches.len(), stream, events: Vec::new() };
                bytes = 0;
            }
            open.events.push(event);
            bytes += size;
        }
        if !open.events.is_empty() {
            batches.push(open);
        }
    }
    (batches, impossible)
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_types::time::UnixMillis;

    fn stream(name: &str, events: impl IntoIterator<Item = (i64, String)>) -> StreamEvents {
        let events = events
            .into_iter()
            .map(|(timestamp, message)| Event { timestamp: UnixMillis(timestamp), message })
            .collect();
        StreamEvents { stream: name.to_owned(), events }
    }

    fn sizes(batches: &[Batch<'_>]) -> Vec<(usize, String, usize)> {
        batches.iter().map(|b| (b.number, b.stream.to_owned(), b.events.len())).collect()
    }

    #[test]
    fn limits_are_reached_and_never_passed() {
        let hour = 60 * 60 * 1000;
        // 8 of these fill a batch to the last byte.
        let eighth = "x".repeat(MAX_BYTES / 8 - EVENT_OVERHEAD_BYTES);
        let cases = [
            (vec![], vec![]),
            (vec![(0, "a".to_owned()); 10_000], vec![10_000]),
            (vec![(0, "a".to_owned()); 10_001], vec![10_000, 1]),
            (vec![(0, eighth.clone()); 8], vec![8]),
            (vec![(0, eighth.clone()); 9], vec![8, 1]),
            (vec![(0, eighth.clone()), (0, format!("{eighth}{eighth}")), (0, eighth.repeat(6))], vec![2, 1]),
            ((0..=25).map(|h| (h * hour, "a".to_owned())).collect(), vec![25, 1]),
            (vec![(0, "a".to_owned()), (24 * hour, "a".to_owned())], vec![2]),
            (vec![(0, "a".to_owned()), (24 * hour + 1, "a".to_owned())], vec![1, 1]),
            (vec![(i64::MIN, "a".to_owned()), (i64::MAX, "a".to_owned())], vec![1, 1]),
        ];
        for (i, (events, expected)) in cases.into_iter().enumerate() {
            let streams = [stream("s", events)];
            let (batches, impossible) = batches(&streams);
            let lengths: Vec<usize> = batches.iter().map(|batch| batch.events.len()).collect();
            assert_eq!((lengths, impossible), (expected, 0), "case {i}");
        }
    }

    #[test]
    fn streams_do_not_share_batches_and_numbers_go_on() {
        let streams = [
            stream("a", [(2, "later".to_owned()), (1, "sooner".to_owned()), (2, "last".to_owned())]),
            stream("none", []),
            stream("b", [(0, "x".to_owned())]),
        ];
        let (batches, _) = batches(&streams);
        assert_eq!(sizes(&batches), [(0, "a".to_owned(), 3), (1, "b".to_owned(), 1)]);
        let messages: Vec<&str> = batches[0].events.iter().map(|event| event.message.as_str()).collect();
        assert_eq!(messages, ["sooner", "later", "last"]);
    }

    #[test]
    fn an_event_that_no_batch_can_hold_is_counted() {
        let largest = MAX_BYTES - EVENT_OVERHEAD_BYTES;
        let streams =
            [stream("a", [(0, "x".repeat(largest + 1)), (0, "x".repeat(largest)), (0, String::new())])];
        let (batches, impossible) = batches(&streams);
        assert_eq!((sizes(&batches), impossible), (vec![(0, "a".to_owned(), 1)], 2));
    }
}
