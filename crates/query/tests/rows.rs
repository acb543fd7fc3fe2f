//! SQL over records in every wrapping, beside a slow obvious evaluator.

mod common;

use common::{Wrapping, query, write};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
struct Row {
    source: Option<&'static str>,
    port: Option<i32>,
    bytes: Option<i64>,
    start: i64,
    action: Option<&'static str>,
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let source = proptest::option::of(proptest::sample::select(vec![
        "10.0.0.1",
        "10.0.0.11",
        "203.0.113.254",
        "2001:db8::1",
        "2001:db8:1234:a100:8d6e:3477:df66:f105",
    ]));
    let port = proptest::option::of(proptest::sample::select(vec![0, 2, 22, 443, 65_535]));
    let bytes = proptest::option::of(prop_oneof![0..1000_i64, 0..i64::from(u32::MAX)]);
    let action = proptest::option::of(proptest::sample::select(vec!["ACCEPT", "REJECT"]));
    let row = (source, port, bytes, 1_714_521_600..1_714_525_200_i64, action);
    let row = row.prop_map(|(source, port, bytes, start, action)| Row { source, port, bytes, start, action });
    proptest::collection::vec(row, 0..200)
}

fn text(rows: &[Row], is_other_format: bool) -> String {
    fn or<T: ToString>(value: Option<T>) -> String {
        value.map_or("-".to_owned(), |value| value.to_string())
    }
    let mut text = match is_other_format {
        false => "srcaddr dstport bytes start action\n".to_owned(),
        true => "action interface-id start bytes dstport srcaddr\n".to_owned(),
    };
    for (n, row) in rows.iter().enumerate() {
        let Row { source, port, bytes, start, action } = row;
        let (source, port, bytes, action) = (or(*source), or(*port), or(*bytes), or(*action));
        text += &match is_other_format {
            false => format!("{source} {port} {bytes} {start} {action}\n"),
            true => format!("{action} eni-{n} {start} {bytes} {port} {source}\n"),
        };
        // What is no record is in nobody's way.
        if n % 17 == 3 {
            text += "no record\n";
        }
    }
    text
}

type Condition = (&'static str, fn(&Row) -> bool);

const CONDITIONS: [Condition; 10] = [
    ("true", |_| true),
    ("action = 'REJECT'", |row| row.action == Some("REJECT")),
    ("action <> 'REJECT'", |row| row.action == Some("ACCEPT")),
    ("dstport IN (22, 443)", |row| matches!(row.port, Some(22 | 443))),
    ("dstport = 2 AND action = 'ACCEPT'", |row| row.port == Some(2) && row.action == Some("ACCEPT")),
    ("dstport = 22 OR srcaddr = '10.0.0.1'", |row| row.port == Some(22) || row.source == Some("10.0.0.1")),
    ("srcaddr IN ('10.0.0.1', '2001:db8:1234:a100:8d6e:3477:df66:f105')", |row| {
        matches!(row.source, Some("10.0.0.1" | "2001:db8:1234:a100:8d6e:3477:df66:f105"))
    }),
    ("srcaddr IS NULL", |row| row.source.is_none()),
    ("bytes BETWEEN 10 AND 900", |row| row.bytes.is_some_and(|bytes| (10..=900).contains(&bytes))),
    ("start >= 1714523400 AND srcaddr LIKE '10.%'", |row| {
        row.start >= 1_714_523_400 && row.source.is_some_and(|source| source.starts_with("10."))
    }),
];

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or("-".to_owned(), |value| value.to_string())
}

/// The sum of those that are there; none of none.
fn sum<'a>(rows: impl Iterator<Item = &'a Row>) -> Option<i64> {
    rows.filter_map(|row| row.bytes).reduce(|a, b| a + b)
}

/// Queries with `WHERE` left open, and what they give.
fn expected(rows: &[Row]) -> Vec<(&'static str, Vec<String>)> {
    let mut sources: BTreeMap<Option<&str>, Vec<&Row>> = BTreeMap::new();
    let mut bins: BTreeMap<i64, Vec<&Row>> = BTreeMap::new();
    let mut ports: BTreeMap<Option<i32>, BTreeSet<&str>> = BTreeMap::new();
    for row in rows {
        sources.entry(row.source).or_default().push(row);
        bins.entry(row.start / 300 * 300).or_default().push(row);
        ports.entry(row.port).or_default().extend(row.source);
    }
    let mut by_bytes: Vec<(Option<&str>, Option<i64>)> =
        sources.iter().map(|(&source, rows)| (source, sum(rows.iter().copied()))).collect();
    // The most bytes first, none last; then by source, none last.
    by_bytes.sort_by_key(|&(source, bytes)| {
        (bytes.is_none(), std::cmp::Reverse(bytes), source.is_none(), source)
    });
    let bins = bins.iter().map(|(bin, rows)| format!("{bin} {}", shown(sum(rows.iter().copied()))));
    let mut ports: Vec<_> = ports.into_iter().collect();
    ports.sort_by_key(|(port, _)| (port.is_none(), *port));
    vec![
        (
            "SELECT count(*), count(srcaddr), sum(bytes), max(dstport) FROM flow_logs WHERE",
            vec![format!(
                "{} {} {} {}",
                rows.len(),
                rows.iter().filter(|row| row.source.is_some()).count(),
                shown(sum(rows.iter())),
                shown(rows.iter().filter_map(|row| row.port).max()),
            )],
        ),
        (
            "SELECT srcaddr, bytes FROM (SELECT srcaddr, sum(bytes) AS bytes FROM flow_logs WHERE {} GROUP BY 1) \
             ORDER BY bytes DESC, srcaddr LIMIT 3",
            by_bytes
                .iter()
                .take(3)
                .map(|(source, bytes)| format!("{} {}", shown(*source), shown(*bytes)))
                .collect(),
        ),
        (
            "SELECT bin, bytes FROM (SELECT start - start % 300 AS bin, sum(bytes) AS bytes FROM flow_logs WHERE {} \
             GROUP BY 1) ORDER BY 1",
            bins.collect(),
        ),
        (
            "SELECT dstport, sources FROM (SELECT dstport, count(DISTINCT srcaddr) AS sources FROM flow_logs WHERE {} \
             GROUP BY 1) ORDER BY 1",
            ports.iter().map(|(port, sources)| format!("{} {}", shown(*port), sources.len())).collect(),
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn sql_says_what_the_rows_say(rows in rows(), condition in 0..CONDITIONS.len()) {
        let (sql, holds) = CONDITIONS[condition];
        let chosen: Vec<Row> = rows.iter().filter(|row| holds(row)).cloned().collect();
        for wrapping in [Wrapping::Plain, Wrapping::Gzip, Wrapping::Zstd, Wrapping::Parquet] {
            let folder = tempfile::tempdir().unwrap();
            // Two files of different formats.
            let (first, second) = rows.split_at(rows.len() / 3);
            write(&folder.path().join("a"), wrapping, &text(first, false));
            write(&folder.path().join("b"), wrapping, &text(second, true));
            for (query_text, expected) in expected(&chosen) {
                let query_text = match query_text.contains("{}") {
                    true => query_text.replace("{}", sql),
                    false => format!("{query_text} {sql}"),
                };
                let (found, _) = query(folder.path(), &query_text);
                prop_assert_eq!(found, expected, "{:?} {}", wrapping, query_text);
            }
        }
    }
}
