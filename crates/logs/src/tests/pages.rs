//! GetLogEvents and FilterLogEvents: pages, tokens, ends of ranges.

use super::*;

fn get(store: &Store, request: &GetLogEvents) -> Result<LogEvents, LogsError> {
    let request = GetLogEvents { group: "g".into(), stream: "s".into(), ..request.clone() };
    store.get_log_events(&scope(), &request, now())
}

fn filter(store: &Store, request: &FilterLogEvents) -> Result<FilteredLogEvents, LogsError> {
    store.filter_log_events(&scope(), &FilterLogEvents { group: "g".into(), ..request.clone() }, now())
}

fn texts(page: &LogEvents) -> String {
    page.events.iter().map(|event| event.message.as_str()).collect()
}

#[test]
fn a_stream_is_paged_in_both_directions() {
    let store = store(&["s"]);
    put(&store, "s", &[(1, "a"), (2, "b"), (2, "c"), (3, "d"), (4, "e")]).unwrap();
    let page = |token: Option<&str>, start_from_head| {
        let request = GetLogEvents {
            limit: Some(2),
            next_token: token.map(Into::into),
            start_from_head,
            ..Default::default()
        };
        get(&store, &request).unwrap()
    };
    let newest = page(None, false);
    assert_eq!(texts(&newest), "de");
    let before = page(Some(&newest.next_backward_token), false);
    assert_eq!(texts(&before), "bc", "ascending in a page reached backwards");
    let oldest = page(Some(&before.next_backward_token), false);
    assert_eq!(texts(&oldest), "a");
    let none = page(Some(&oldest.next_backward_token), false);
    assert_eq!(texts(&none), "");
    assert_eq!(none.next_backward_token, oldest.next_backward_token, "the token that was sent");
    assert_eq!(texts(&page(Some(&none.next_forward_token), true)), "ab", "back from the empty page");

    let mut forward = page(None, true);
    let mut seen = texts(&forward);
    loop {
        // Whatever startFromHead says: the token decides.
        let next = page(Some(&forward.next_forward_token), seen.len().is_multiple_of(4));
        if next.next_forward_token == forward.next_forward_token {
            assert_eq!(texts(&next), "");
            assert_eq!(texts(&page(Some(&next.next_backward_token), true)), "de", "back from the end");
            break;
        }
        seen += &texts(&next);
        forward = next;
    }
    assert_eq!(seen, "abcde");

    // The token of the end gives what arrives later.
    put(&store, "s", &[(4, "f"), (5, "g")]).unwrap();
    assert_eq!(texts(&page(Some(&forward.next_forward_token), true)), "fg");
}

#[test]
fn an_empty_stream_has_two_tokens_that_work_later() {
    let store = store(&["s"]);
    for start_from_head in [true, false] {
        let empty = get(&store, &GetLogEvents { start_from_head, ..Default::default() }).unwrap();
        assert!(empty.events.is_empty());
        assert!(empty.next_forward_token.starts_with("f/") && empty.next_forward_token.len() == 58);
        assert!(empty.next_backward_token.starts_with("b/") && empty.next_backward_token.len() == 58);
        for token in [&empty.next_forward_token, &empty.next_backward_token] {
            let request = GetLogEvents { next_token: Some(token.clone()), ..Default::default() };
            assert_eq!(get(&store, &request).unwrap(), empty);
        }
    }
    let token = get(&store, &GetLogEvents::default()).unwrap().next_forward_token;
    put(&store, "s", &[(0, "a")]).unwrap();
    let request = GetLogEvents { next_token: Some(token), ..Default::default() };
    assert_eq!(texts(&get(&store, &request).unwrap()), "a");
}

#[test]
fn late_events_take_their_place() {
    let store = store(&["s"]);
    put(&store, "s", &[(10, "c"), (20, "e")]).unwrap();
    put(&store, "s", &[(5, "a"), (5, "b"), (10, "d"), (30, "g")]).unwrap();
    put(&store, "s", &[(20, "f")]).unwrap();
    let head = GetLogEvents { start_from_head: true, ..Default::default() };
    assert_eq!(texts(&get(&store, &head).unwrap()), "abcdefg");
}

#[test]
fn get_ends_before_and_filter_ends_with_the_end_time() {
    let store = store(&["s"]);
    put(&store, "s", &[(0, "a"), (1, "b"), (2, "c"), (3, "d")]).unwrap();
    for (start, end, by_get, by_filter) in [
        (None, None, "abcd", "abcd"),
        (Some(1), None, "bcd", "bcd"),
        (None, Some(2), "ab", "abc"),
        (Some(1), Some(3), "bc", "bcd"),
        (Some(2), Some(2), "", "c"),
        (Some(3), Some(1), "", ""),
    ] {
        let at = |after: Option<i64>| after.map(|after| NOW + after);
        let request = GetLogEvents { start_time: at(start), end_time: at(end), ..Default::default() };
        assert_eq!(texts(&get(&store, &request).unwrap()), by_get, "{start:?} {end:?}");
        let request = FilterLogEvents { start_time: at(start), end_time: at(end), ..Default::default() };
        let found = filter(&store, &request).unwrap();
        let found: String = found.events.into_iter().map(|event| event.message).collect();
        assert_eq!(found, by_filter, "{start:?} {end:?}");
    }
}

#[test]
fn a_page_has_at_most_one_mebibyte_and_ten_thousand_events() {
    let store = store(&["s"]);
    let text = "x".repeat(400_000);
    for i in 0..5 {
        put(&store, "s", &[(i, &text)]).unwrap();
    }
    let head = GetLogEvents { start_from_head: true, ..Default::default() };
    assert_eq!(get(&store, &head).unwrap().events.len(), 2);
    assert_eq!(get(&store, &GetLogEvents::default()).unwrap().events.len(), 2);
    let page = filter(&store, &FilterLogEvents::default()).unwrap();
    assert_eq!(page.events.len(), 2);
    assert!(page.next_token.is_some());

    let store = super::store(&["s"]);
    put(&store, "s", &vec![(0, "x"); 10_000]).unwrap();
    put(&store, "s", &[(1, "y")]).unwrap();
    let page = get(&store, &head).unwrap();
    assert_eq!(page.events.len(), 10_000);
    let next = GetLogEvents { next_token: Some(page.next_forward_token), ..Default::default() };
    assert_eq!(texts(&get(&store, &next).unwrap()), "y");
    // One event as large as AWS takes is a page.
    put(&store, "s", &[(2, &"z".repeat((1 << 20) - 26))]).unwrap();
    assert_eq!(get(&store, &GetLogEvents::default()).unwrap().events.len(), 1);
}

#[test]
fn get_refuses_what_aws_refuses() {
    let store = store(&["s", "t"]);
    put(&store, "s", &[(0, "a")]).unwrap();
    let token = get(&store, &GetLogEvents::default()).unwrap().next_forward_token;
    let bad = "InvalidParameter: The specified nextToken is invalid.";
    for text in ["", "x", "f/1", "b/", &token[2..]] {
        let request = GetLogEvents { next_token: Some(text.into()), ..Default::default() };
        assert_eq!(said(get(&store, &request)), bad, "{text}");
    }
    let other =
        GetLogEvents { group: "g".into(), stream: "t".into(), next_token: Some(token), ..Default::default() };
    assert_eq!(said(store.get_log_events(&scope(), &other, now())), bad, "another stream's token");
    for limit in [0, 10_001] {
        let text = said(get(&store, &GetLogEvents { limit: Some(limit), ..Default::default() }));
        assert!(text.starts_with("InvalidParameter: 1 validation error detected: Value"), "{text}");
    }
    let none = GetLogEvents { group: "g".into(), stream: "none".into(), ..Default::default() };
    assert_eq!(
        said(store.get_log_events(&scope(), &none, now())),
        "ResourceNotFound: The specified log stream does not exist."
    );
    let none = GetLogEvents { group: "none".into(), ..none };
    assert_eq!(
        said(store.get_log_events(&scope(), &none, now())),
        "ResourceNotFound: The specified log group does not exist."
    );
}

#[test]
fn filter_merges_streams_in_order_of_time_then_arrival() {
    let store = store(&["eni-1", "eni-2", "other"]);
    put(&store, "eni-2", &[(1, "a"), (3, "d")]).unwrap();
    put(&store, "other", &[(1, "b"), (5, "g")]).unwrap();
    put(&store, "eni-1", &[(1, "c"), (3, "e"), (4, "f")]).unwrap();
    let found = |request: FilterLogEvents| {
        let mut request = request;
        let (mut texts, mut ids) = (String::new(), Vec::new());
        loop {
            let page = filter(&store, &request).unwrap();
            assert!(page.events.len() <= request.limit.unwrap() as usize);
            for event in page.events {
                texts += &event.message;
                ids.push(event.event_id);
            }
            request.next_token = page.next_token;
            if request.next_token.is_none() {
                ids.sort();
                ids.dedup();
                assert_eq!(ids.len(), texts.len(), "ids are unique");
                assert!(ids.iter().all(|id| id.len() == 56 && id.bytes().all(|b| b.is_ascii_digit())));
                return texts;
            }
        }
    };
    let names = |names: &[&str]| Some(names.iter().map(|name| name.to_string()).collect());
    for limit in 1..9 {
        let all = FilterLogEvents { limit: Some(limit), ..Default::default() };
        assert_eq!(found(all.clone()), "abcdefg", "{limit}");
        let prefix = FilterLogEvents { stream_name_prefix: Some("eni-".into()), ..all.clone() };
        assert_eq!(found(prefix), "acdef");
        let two = FilterLogEvents { stream_names: names(&["other", "eni-2", "other"]), ..all.clone() };
        assert_eq!(found(two), "abdg");
        let blank = FilterLogEvents { filter_pattern: Some("  ".into()), ..all };
        assert_eq!(found(blank), "abcdefg");
    }
    let page = filter(&store, &FilterLogEvents { limit: Some(1), ..Default::default() }).unwrap();
    assert_eq!(page.events[0].log_stream_name, "eni-2");
    let again = filter(&store, &FilterLogEvents { limit: Some(1), ..Default::default() }).unwrap();
    assert_eq!(page, again, "ids and tokens are the same in every answer");

    for (request, expect) in [
        (
            FilterLogEvents { stream_names: names(&["none"]), ..Default::default() },
            "ResourceNotFound: The specified log stream does not exist.",
        ),
        (
            FilterLogEvents {
                stream_names: names(&["other"]),
                stream_name_prefix: Some("eni".into()),
                ..Default::default()
            },
            "InvalidParameter: logStreamNames and logStreamNamePrefix are mutually exclusive parameters.",
        ),
        (
            FilterLogEvents { filter_pattern: Some("[a=1 || b=2]".into()), ..Default::default() },
            "InvalidParameter: Invalid filter pattern",
        ),
        (
            FilterLogEvents { filter_pattern: Some("%(a)%".into()), ..Default::default() },
            "InvalidParameter: Invalid character(s) in term '%(a)%'",
        ),
        (
            FilterLogEvents { next_token: Some("invalid".into()), ..Default::default() },
            "InvalidParameter: The specified nextToken is invalid.",
        ),
        (
            FilterLogEvents { limit: Some(10_001), ..Default::default() },
            "InvalidParameter: 1 validation error detected: Value '10001' at 'limit' failed to satisfy \
             constraint: Member must have value less than or equal to 10000",
        ),
        (
            FilterLogEvents { stream_names: names(&[]), ..Default::default() },
            "InvalidParameter: 1 validation error detected: Value '[]' at 'logStreamNames' failed to satisfy \
             constraint: Member must have length greater than or equal to 1",
        ),
    ] {
        assert_eq!(said(filter(&store, &request)), expect);
    }
}

#[test]
fn events_past_retention_are_not_returned() {
    let store = store(&["s"]);
    put(&store, "s", &[(-2 * DAY, "old"), (-DAY, "kept")]).unwrap();
    store.put_retention_policy(&scope(), "g", 1).unwrap();
    assert_eq!(messages(&store, "s"), ["kept"]);
    let found = filter(&store, &FilterLogEvents::default()).unwrap();
    assert_eq!(found.events.len(), 1);
    store.delete_retention_policy(&scope(), "g").unwrap();
    assert_eq!(messages(&store, "s"), ["old", "kept"], "until maintenance has removed them");
    store.put_retention_policy(&scope(), "g", 1).unwrap();
    assert_eq!(store.maintain(now()).unwrap().expired_events, 1);
    store.delete_retention_policy(&scope(), "g").unwrap();
    assert_eq!(messages(&store, "s"), ["kept"]);
    put(&store, "s", &[(-2 * DAY, "new old")]).unwrap();
    assert_eq!(messages(&store, "s"), ["new old", "kept"]);
}
