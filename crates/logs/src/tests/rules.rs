//! PutLogEvents: one row per rule and limit.

use super::*;

#[test]
fn a_batch_is_refused_as_aws_refuses_it() {
    let store = store(&["s"]);
    let put = |stream: &str, events: &[(i64, &str)]| said(super::put(&store, stream, events));
    let mib = "x".repeat(1 << 20);
    let half = "x".repeat((1 << 19) - 26);
    let more = "x".repeat((1 << 19) - 25);
    let whole = &mib[26..];
    let large = &mib[25..];
    for (stream, events, expect) in [
        ("s", &[(0, "a")][..], "ok"),
        ("s", &[(0, "a"), (0, "b")], "ok"),
        (
            "s",
            &[(1, "a"), (0, "b")],
            "InvalidParameter: Log events in a single PutLogEvents request must be in chronological order.",
        ),
        ("s", &[(-DAY, "a"), (0, "b")], "ok"),
        (
            "s",
            &[(-DAY - 1, "a"), (0, "b")],
            "InvalidParameter: The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ),
        // The span is that of the events which are taken.
        ("s", &[(-20 * DAY, "a"), (0, "b"), (9 * DAY, "c")], "ok"),
        ("s", &[(0, whole)], "ok"),
        ("s", &[(0, large)], "InvalidParameter: Log event too large: 1048577 bytes exceeds limit of 1048576"),
        ("s", &[(0, &half), (0, &half)], "ok"),
        (
            "s",
            &[(0, &half), (0, &more)],
            "InvalidParameter: Upload too large: 1048577 bytes exceeds limit of 1048576",
        ),
        ("none", &[(0, "a")], "ResourceNotFound: The specified log stream does not exist."),
        // The stream comes before the order.
        ("none", &[(1, "a"), (0, "b")], "ResourceNotFound: The specified log stream does not exist."),
        (
            "s",
            &[],
            "InvalidParameter: 1 validation error detected: Value '[]' at 'logEvents' failed to satisfy \
             constraint: Member must have length greater than or equal to 1",
        ),
        (
            "s",
            &[(0, "a"), (0, "")],
            "InvalidParameter: 1 validation error detected: Value '' at 'logEvents.2.member.message' failed to \
             satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (
            "s",
            &[(-NOW - 1, "a")],
            "InvalidParameter: 1 validation error detected: Value '-1' at 'logEvents.1.member.timestamp' failed \
             to satisfy constraint: Member must have value greater than or equal to 0",
        ),
    ] {
        let shown: Vec<_> = events.iter().map(|(after, text)| (after, text.len())).collect();
        assert_eq!(put(stream, events), expect, "{stream} {shown:?}");
    }
    assert_eq!(put("s", &vec![(0, "x"); 10_000]), "ok");
    assert!(
        put("s", &vec![(0, "x"); 10_001]).contains("Member must have length less than or equal to 10000")
    );
    store.delete_log_group(&scope(), "g").unwrap();
    assert_eq!(put("s", &[(0, "a")]), "ResourceNotFound: The specified log group does not exist.");
}

#[test]
fn events_are_counted_in_utf8_bytes() {
    let store = store(&["s"]);
    let text = "ä".repeat(1 << 19);
    assert_eq!(
        said(put(&store, "s", &[(0, &text)])),
        "InvalidParameter: Log event too large: 1048602 bytes exceeds limit of 1048576"
    );
}

#[test]
fn the_event_limit_of_older_releases_can_be_set() {
    let options = StoreOptions { max_event_bytes: 262_144, ..Default::default() };
    let store = Store::open_on(std::sync::Arc::new(super::disk::Disk::default()), options).unwrap();
    fill(&store, &["s"]);
    let text = "x".repeat(262_144 - 26);
    assert_eq!(said(put(&store, "s", &[(0, &text)])), "ok");
    assert_eq!(
        said(put(&store, "s", &[(0, &format!("{text}x"))])),
        "InvalidParameter: Log event too large: 262145 bytes exceeds limit of 262144"
    );
}

#[test]
fn old_expired_and_new_events_are_named_and_the_rest_is_stored() {
    const H: i64 = HOUR;
    const D: i64 = DAY;
    // retention; events; too old end, expired end, too new start; stored
    type Row = (Option<i64>, &'static [i64], [Option<usize>; 3], usize);
    let rows: &[Row] = &[
        (None, &[0], [None, None, None], 1),
        (None, &[-14 * D], [None, None, None], 1),
        (None, &[-14 * D - 1], [Some(1), None, None], 0),
        (None, &[2 * H], [None, None, None], 1),
        (None, &[2 * H + 1], [None, None, Some(0)], 0),
        (None, &[-15 * D, -15 * D, 0, H, 3 * H], [Some(2), None, Some(4)], 2),
        (Some(1), &[-D], [None, None, None], 1),
        (Some(1), &[-D - 1, 0], [None, Some(1), None], 1),
        (Some(1), &[-15 * D, -48 * H, 0], [Some(1), Some(2), None], 1),
        (Some(30), &[-15 * D, 0], [Some(1), None, None], 1),
        (Some(30), &[-31 * D, -15 * D, 0, 3 * H], [Some(2), Some(1), Some(3)], 1),
    ];
    for (retention, times, [too_old, expired, too_new], stored) in rows {
        let store = store(&["s"]);
        if let Some(days) = retention {
            store.put_retention_policy(&scope(), "g", *days).unwrap();
        }
        let events: Vec<_> = times.iter().map(|after| (*after, "x")).collect();
        let result = put(&store, "s", &events).unwrap();
        let rejected = result.rejected.unwrap_or_default();
        let got = [
            rejected.too_old_log_event_end_index,
            rejected.expired_log_event_end_index,
            rejected.too_new_log_event_start_index,
        ];
        assert_eq!(got, [*too_old, *expired, *too_new], "{retention:?} {times:?}");
        assert_eq!(result.rejected.is_some(), *stored < times.len());
        assert_eq!(messages(&store, "s").len(), *stored, "{retention:?} {times:?}");
        assert_eq!(result.next_sequence_token.len(), 56);
    }
}

#[test]
fn a_batch_with_a_weir_token_is_stored_once() {
    let store = store(&["s", "t"]);
    let put =
        |stream: &str, text: &str, token: &str| put_with(&store, stream, &[(0, text)], Some(token)).unwrap();
    let first = put("s", "a", "weir:1");
    assert_eq!(put("s", "b", "weir:1"), first);
    put("s", "c", "weir:2");
    put("t", "d", "weir:1");
    // AWS ignores other tokens, repeated or not.
    put("s", "e", "49590302938473");
    put("s", "f", "49590302938473");
    assert_eq!(messages(&store, "s"), ["a", "c", "e", "f"]);
    assert_eq!(messages(&store, "t"), ["d"]);

    // The last 64 are remembered.
    for i in 3..=65 {
        put("s", "x", &format!("weir:{i}"));
    }
    put("s", "again 2", "weir:2");
    assert!(!messages(&store, "s").contains(&"again 2".to_owned()));
    put("s", "again 1", "weir:1");
    assert!(messages(&store, "s").contains(&"again 1".to_owned()));
}

#[test]
fn a_repeated_batch_is_acknowledged_even_when_it_has_become_too_old() {
    let store = store(&["s"]);
    let request = PutLogEvents {
        group: "g".into(),
        stream: "s".into(),
        events: vec![InputLogEvent { timestamp: now(), message: "a".into() }],
        sequence_token: Some("weir:1".into()),
    };
    let first = store.put_log_events(&scope(), &request, now()).unwrap();
    let later = UnixMillis(NOW + 20 * DAY);
    assert_eq!(store.put_log_events(&scope(), &request, later).unwrap(), first);
}

#[test]
fn a_batch_of_which_nothing_was_stored_leaves_no_token() {
    let store = store(&["s"]);
    put_with(&store, "s", &[(3 * HOUR, "early")], Some("weir:1")).unwrap();
    put_with(&store, "s", &[(0, "in time")], Some("weir:1")).unwrap();
    assert_eq!(messages(&store, "s"), ["in time"]);
}
