//! FilterLogEvents with a pattern: which events, in which pages.

use super::*;
use crate::{FilterLogEvents, FilteredLogEvents, Store};

fn filter(store: &Store, pattern: &str, limit: i64, token: Option<String>) -> FilteredLogEvents {
    let request = FilterLogEvents {
        group: "g".into(),
        filter_pattern: Some(pattern.into()),
        limit: Some(limit),
        next_token: token,
        ..Default::default()
    };
    store.filter_log_events(&scope(), &request, now()).unwrap()
}

/// All matching messages, and how many pages they took.
fn all(store: &Store, pattern: &str, limit: i64) -> (Vec<String>, usize) {
    let (mut messages, mut pages, mut token) = (Vec::new(), 0, None);
    loop {
        let page = filter(store, pattern, limit, token);
        assert!(page.events.len() <= limit as usize);
        messages.extend(page.events.into_iter().map(|event| event.message));
        pages += 1;
        token = page.next_token;
        if token.is_none() {
            return (messages, pages);
        }
    }
}

#[test]
fn a_pattern_selects_the_same_events_whatever_the_page() {
    let store = store(&["a", "b"]);
    let lines: Vec<String> = (0..40)
        .map(|n| {
            format!(
                "2 1 eni-1 10.0.0.{n} 10.0.1.1 1024 {} 6 1 40 0 1 {} OK",
                20 + n % 5,
                ["ACCEPT", "REJECT"][n % 2]
            )
        })
        .collect();
    for (n, line) in lines.iter().enumerate() {
        put(&store, ["a", "b"][n % 3 % 2], &[(n as i64, line.as_str())]).unwrap();
    }
    for (pattern, expected) in [
        ("REJECT", 20),
        ("[..., action=REJECT, status]", 20),
        ("[v, account, eni, src, dst, sport, dport=22 || dport=23, ..., action=REJECT, status]", 8),
        ("\"10.0.0.7 \"", 1),
        ("-OK", 0),
        ("{ $.action = REJECT }", 0),
        ("\" \"", 40),
    ] {
        for limit in [1, 3, 10_000] {
            let (messages, _) = all(&store, pattern, limit);
            assert_eq!(messages.len(), expected, "{pattern} {limit}");
            let in_order: Vec<&String> = lines.iter().filter(|line| messages.contains(line)).collect();
            assert_eq!(messages.iter().collect::<Vec<_>>(), in_order, "{pattern} {limit}");
        }
    }
    assert_eq!(filter(&store, "REJECT", 20, None).next_token, None);
}

#[test]
fn one_call_reads_a_bounded_number_of_events() {
    let store = store(&["s"]);
    let texts: Vec<String> = (0..350).map(|n| format!("event {n}")).collect();
    let events: Vec<(i64, &str)> =
        texts.iter().enumerate().map(|(n, text)| (n as i64, text.as_str())).collect();
    put(&store, "s", &events).unwrap();

    let page = filter(&store, "\"event 349\"", 10, None);
    assert_eq!((page.events.len(), page.next_token.is_some()), (0, true), "an empty page goes on");
    assert_eq!(all(&store, "\"event 349\"", 10), (vec!["event 349".to_owned()], 4));
    assert_eq!(all(&store, "none", 10), (Vec::new(), 4));
    // Without a pattern a page is full.
    assert_eq!(filter(&store, "", 10_000, None).events.len(), 350);
}
