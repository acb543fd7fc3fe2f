//! What a replay says at its end, on stderr, and its exit code.

use super::count::Totals;
use crate::records::report::number;
use weir_flow::columns::Counts;

/// `20,000,000 packets, 19,999,990 counted, 6 malformed; 1,000,000 records (0
/// NODATA, 0 SKIPDATA), from 1 input`, and what else there is to know.
pub fn summary(totals: &Totals, records: Counts, matched: Option<u64>, inputs: u64, failed: u64) -> String {
    let counts = &totals.counts;
    let some = |count: u64, text: &str| (count > 0).then(|| format!("{} {text}", number(count)));
    let packets = [
        Some(format!("{} counted", number(counts.counted))),
        Some(format!("{} malformed", number(counts.malformed))),
        some(counts.cut, "cut by the capture before their ports or flags"),
        some(counts.ignored, "not IP"),
        some(counts.foreign, "of other addresses"),
        some(counts.unknown_link, "of link types that cannot be read"),
    ];
    let packets: Vec<String> = packets.into_iter().flatten().collect();
    let mut parts = vec![format!("{}, {}", plural(counts.packets, "packet"), packets.join(", "))];
    if let Some(matched) = matched {
        parts.push(format!("{} matched", plural(matched, "record")));
    }
    parts.push(format!(
        "{} ({} NODATA, {} SKIPDATA), from {}",
        plural(records.records, "record"),
        number(records.no_data),
        number(records.skip_data),
        plural(inputs, "input"),
    ));
    parts.extend(
        [
            some(counts.skipped, "of the counted packets had no room for their flow (--max-flows)"),
            some(counts.late, "packets came late and are counted at the beginning of the next window"),
            some(counts.turned_back, "times the capture's clock went back"),
            some(totals.lost, "packets lost by the capturing program"),
            some(totals.untracked, "packets whose connection could not be remembered"),
            some(failed, "unusable"),
        ]
        .into_iter()
        .flatten(),
    );
    parts.join("; ")
}

fn plural(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", number(count), if count == 1 { "" } else { "s" })
}
