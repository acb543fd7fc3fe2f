//! Random events and queries: the engine gives what the oracle gives.

use super::oracle::{Condition, Row, stats};
use super::{World, lines};
use proptest::prelude::*;

const FIELDS: [&str; 3] = ["a", "b", "c"];
const VALUES: [&str; 10] = ["1", "2", "10", "2.5", "-3", "x", "xy", "X", "-", ""];

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let value = prop::option::weighted(0.8, prop::sample::select(VALUES.to_vec()));
    let row = prop::collection::vec(value, FIELDS.len()).prop_map(|values| {
        let cells = FIELDS.iter().zip(values);
        cells.filter_map(|(name, value)| Some(((*name).to_owned(), value?.to_owned()))).collect::<Row>()
    });
    prop::collection::vec(row, 0..30)
}

fn condition() -> impl Strategy<Value = Condition> {
    let field = || prop::sample::select(FIELDS.to_vec()).prop_map(str::to_owned);
    let value = || prop::sample::select(VALUES.to_vec()).prop_map(str::to_owned);
    let op = prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">="]);
    let leaf = prop_oneof![
        4 => (field(), op, value()).prop_map(|(field, op, value)| Condition::Compare(field, op, value)),
        1 => (field(), value()).prop_map(|(field, part)| Condition::Like(field, part)),
        1 => field().prop_map(Condition::Present),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|of| Condition::Not(Box::new(of))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Condition::And(Box::new(a), Box::new(b))),
            (inner.clone(), inner).prop_map(|(a, b)| Condition::Or(Box::new(a), Box::new(b))),
        ]
    })
}

/// The events, oldest first, one a second.
fn world(rows: &[Row]) -> World {
    let messages: Vec<String> = rows.iter().map(|row| serde_json::to_string(row).unwrap()).collect();
    let age = |i: usize| 1000 - i as i64;
    let events: Vec<(i64, &str)> = messages.iter().enumerate().map(|(i, m)| (age(i), m.as_str())).collect();
    World::new().group("g", &[], &events)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn filters(rows in rows(), condition in condition(), limit in 1..20usize) {
        let found = world(&rows).run(&format!("fields a, b, c | filter {} | limit {limit}", condition.text()));
        let wanted: Vec<String> = rows
            .iter()
            .rev()
            .filter(|row| condition.holds(row))
            .take(limit)
            .map(|row| row.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
            .collect();
        prop_assert_eq!(lines(&found), wanted);
    }

    #[test]
    fn groups(
        rows in rows(),
        condition in condition(),
        aggregate in prop::sample::select(vec!["count", "sum", "avg", "min", "max", "count_distinct"]),
        keys in prop::sample::subsequence(vec!["a", "b"], 0..=2),
    ) {
        let by = if keys.is_empty() { String::new() } else { format!(" by {}", keys.join(", ")) };
        let query = format!("filter {} | stats {aggregate}(c) as x{by}", condition.text());
        let mut found = lines(&world(&rows).run(&query));
        found.sort();
        let kept: Vec<Row> = rows.into_iter().filter(|row| condition.holds(row)).collect();
        prop_assert_eq!(found, stats(&kept, aggregate, "c", &keys), "{}", query);
    }

    #[test]
    fn first_of_each(rows in rows(), keys in prop::sample::subsequence(vec!["a", "b"], 1..=2)) {
        let found = world(&rows).run(&format!("fields a, b, c | dedup {}", keys.join(", ")));
        let mut seen = Vec::new();
        let mut wanted = Vec::new();
        for row in rows.iter().rev() {
            let key: Option<Vec<&String>> = keys.iter().map(|key| row.get(*key)).collect();
            if key.is_none() || !seen.contains(&key) {
                seen.push(key);
                let cells = row.iter().map(|(name, value)| format!("{name}={value}"));
                wanted.push(cells.collect::<Vec<_>>().join(" "));
            }
        }
        prop_assert_eq!(lines(&found), wanted);
    }
}
