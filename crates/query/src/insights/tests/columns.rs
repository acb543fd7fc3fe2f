//! The same events in log files, in segments and in both give the same rows:
//! those of the oracle, which knows messages only.

use super::oracle::{Condition, Row, stats};
use super::{World, lines};
use proptest::prelude::*;
use weir_logs::insights::discover::{Discovery, RecordFormat};

const CUSTOM: &str = "${pkt-srcaddr} ${flow-direction} ${bytes} ${vpc-id}";
/// As many fields as the default format, others; records of both are told apart by `action`.
const LONG: &str = "${srcaddr} ${bytes} ${action} ${subnet-id} ${instance-id} ${az-id} ${type} ${region} ${dstport} ${tcp-flags} ${end} ${start} ${packets} ${flow-direction}";
const FIELDS: [&str; 8] =
    ["srcAddr", "dstPort", "bytes", "action", "logStatus", "pktSrcAddr", "flowDirection", "a"];
const ADDRESSES: [&str; 5] = ["10.0.0.1", "10.0.0.2", "192.0.2.200", "2001:db8::1", "-"];

fn message() -> impl Strategy<Value = String> {
    let address = || prop::sample::select(ADDRESSES.to_vec());
    let number = || prop_oneof![0..5u32, 440..445u32, any::<u32>()];
    let default =
        (address(), address(), number(), number(), 0..6usize).prop_map(|(from, to, port, bytes, kind)| {
            let end = ["REJECT OK", "- NODATA", "ACCEPT FINE", "ACCEPT OK", "ACCEPT OK", "ACCEPT OK"][kind];
            format!("2 123456789012 eni-1 {from} {to} 40000 {port} 6 1 {bytes} 1795348700 1795348760 {end}")
        });
    let custom = (address(), any::<bool>(), number()).prop_map(|(from, is_in, bytes)| {
        format!("{from} {} {bytes} vpc-1", if is_in { "ingress" } else { "egress" })
    });
    let long = (address(), number()).prop_map(|(from, bytes)| {
        format!("{from} {bytes} REJECT - - az1 IPv4 us-east-1 443 2 1 2 007 egress")
    });
    let other = prop::sample::select(vec![
        "hello",
        "",
        "a  b",
        "{\"a\": 7, \"bytes\": \"12\"}",
        "{\"a\": {\"b\": 1}}",
        "2 1 eni-1 - - - - - - - 1 2 - SKIPDATA\n",
        "x2 1 eni-1 10.0.0.1 - - 443 6 1 5 1 2 ACCEPT OK",
        "10.0.0.1 ingress 5",
    ]);
    prop_oneof![6 => default, 2 => custom, 1 => long, 1 => other.prop_map(str::to_owned)]
}

fn condition() -> impl Strategy<Value = Condition> {
    let field = || prop::sample::select(FIELDS.to_vec()).prop_map(str::to_owned);
    let values = ["443", "3", "10.0.0.1", "REJECT", "ingress", "OK", "-", "7"];
    let value = move || prop::sample::select(values.to_vec()).prop_map(str::to_owned);
    let op = prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">="]);
    let leaf = prop_oneof![
        4 => (field(), op, value()).prop_map(|(field, op, value)| Condition::Compare(field, op, value)),
        2 => (field(), value()).prop_map(|(field, part)| Condition::Like(field, part)),
        1 => value().prop_map(|part| Condition::Like("@message".into(), part)),
        1 => field().prop_map(Condition::Present),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|of| Condition::Not(Box::new(of))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Condition::And(Box::new(a), Box::new(b))),
            (inner.clone(), inner).prop_map(|(a, b)| Condition::Or(Box::new(a), Box::new(b))),
        ]
    })
}

/// In log files; in segments; half in each.
fn worlds(messages: &[String]) -> [World; 3] {
    let age = |i: usize| 1000 - i as i64;
    let events: Vec<(i64, &str)> = messages.iter().enumerate().map(|(i, m)| (age(i), m.as_str())).collect();
    let world = || World::new().group("g", &[CUSTOM, LONG], &[]);
    let (early, late) = events.split_at(events.len() / 2);
    [
        world().put("g", 3, &events),
        world().put("g", 3, &events).flushed(),
        world().put("g", 3, early).flushed().put("g", 3, late),
    ]
}

/// What the messages say, oldest first.
fn rows(messages: &[String]) -> Vec<Row> {
    let discovery = Discovery::new([CUSTOM, LONG].map(RecordFormat::new));
    let row = |message: &String| {
        let mut row: Row = discovery.fields(message).into_iter().collect();
        row.insert("@message".into(), message.clone());
        row
    };
    messages.iter().filter(|message| !message.is_empty()).map(row).collect()
}

fn line(row: &Row, fields: &[&str]) -> String {
    let cells = fields.iter().filter_map(|name| Some(format!("{name}={}", row.get(*name)?)));
    cells.collect::<Vec<_>>().join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn filters_and_groups(
        messages in prop::collection::vec(message(), 0..40),
        condition in condition(),
        aggregate in prop::sample::select(vec!["count", "sum", "avg", "min", "max", "count_distinct"]),
        keys in prop::sample::subsequence(vec!["srcAddr", "dstPort", "action"], 0..=2),
        limit in 1..20usize,
    ) {
        let messages: Vec<String> = messages.into_iter().filter(|message| !message.is_empty()).collect();
        let kept: Vec<Row> = rows(&messages).into_iter().filter(|row| condition.holds(row)).collect();
        let newest: Vec<String> = kept.iter().rev().take(limit).map(|row| line(row, &FIELDS)).collect();
        let texts: Vec<String> = kept.iter().rev().map(|row| line(row, &["@message"])).collect();
        let by = if keys.is_empty() { String::new() } else { format!(" by {}", keys.join(", ")) };
        let filter = format!("filter {}", condition.text());
        let bytes: usize = messages.iter().map(String::len).sum();
        for (i, world) in worlds(&messages).into_iter().enumerate() {
            let query = format!("{filter} | fields {} | limit {limit}", FIELDS.join(", "));
            let (found, progress) = world.run_with(&query, 10_000);
            prop_assert_eq!(lines(&found), newest.clone(), "{} {}", i, &query);
            prop_assert_eq!(progress.records(), messages.len() as u64);
            prop_assert_eq!(progress.bytes(), bytes as u64);
            prop_assert_eq!(progress.matched(), kept.len() as u64);
            prop_assert_eq!(lines(&world.run(&format!("fields @message | {filter}"))), texts.clone());
            let query = format!("{filter} | stats {aggregate}(bytes) as x{by}");
            let mut found = lines(&world.run(&query));
            found.sort();
            prop_assert_eq!(found, stats(&kept, aggregate, "bytes", &keys), "{} {}", i, &query);
        }
    }
}

#[test]
fn streams_times_and_pointers() {
    let messages: Vec<String> = (0..30)
        .map(|i| format!("2 1 eni-1 10.0.0.{i} 10.0.1.1 1 443 6 1 {} 1 2 ACCEPT OK", i * 10))
        .collect();
    for query in [
        "fields @timestamp, @logStream, @ingestionTime, @log, bytes | filter @logStream = 'stream1'",
        "filter @timestamp > '2026-11-22 11:43:40' | stats count(*) by @logStream, bin(10s) as t | sort t, @logStream",
        "filter @message like /0 1 2/ and isIpv4InSubnet(srcAddr, '10.0.0.8/29') | fields @message, bytes / 10 as t",
        "stats earliest(bytes), latest(bytes), pct(bytes, 90), count(*) by datefloor(@timestamp, 1m)",
        "fields bytes as b | sort b desc | limit 3 | fields b * 2",
        "parse @message '2 * eni-* *' as account, eni, rest | stats count(*) by account, eni",
        "fields @timestamp | limit 4",
        "filter @log = '123456789012:g' | dedup @logStream | display @logStream, srcAddr",
    ] {
        let [files, segments, both] = worlds(&messages).map(|world| world.run(query));
        assert!(!files.rows.is_empty(), "{query}");
        assert_eq!(files, segments, "{query}");
        // Their pointers are others.
        assert_eq!(lines(&files), lines(&both), "{query}");
    }
}
