//! Groups and streams: errors, order, paging, what is shown.

use super::*;
use std::collections::BTreeMap;

fn names(store: &Store, request: DescribeLogGroups) -> Vec<String> {
    let mut names = Vec::new();
    let mut request = request;
    loop {
        let page = store.describe_log_groups(&scope(), &request).unwrap();
        names.extend(page.log_groups.into_iter().map(|group| group.name));
        request.next_token = page.next_token;
        if request.next_token.is_none() {
            return names;
        }
    }
}

fn streams(store: &Store, request: DescribeLogStreams) -> Vec<String> {
    let mut names = Vec::new();
    let mut request = DescribeLogStreams { group: "g".into(), ..request };
    loop {
        let page = store.describe_log_streams(&scope(), &request, now()).unwrap();
        names.extend(page.log_streams.into_iter().map(|stream| stream.name));
        request.next_token = page.next_token;
        if request.next_token.is_none() {
            return names;
        }
    }
}

#[test]
fn groups_and_streams_are_made_once_and_deleted_once() {
    let store = Store::in_memory();
    let scope = scope();
    let no_group = "ResourceNotFound: The specified log group does not exist.";
    let no_stream = "ResourceNotFound: The specified log stream does not exist.";
    assert_eq!(said(store.create_log_stream(&scope, "g", "s", now())), no_group);
    assert_eq!(said(store.delete_log_stream(&scope, "g", "s")), no_group);
    assert_eq!(said(store.delete_log_group(&scope, "g")), no_group);
    assert_eq!(said(store.log_group(&scope, "g")), no_group);
    assert_eq!(said(store.put_retention_policy(&scope, "g", 1)), no_group);
    assert_eq!(said(store.delete_retention_policy(&scope, "g")), no_group);
    assert_eq!(said(create_group(&store, "g")), "ok");
    assert_eq!(
        said(create_group(&store, "g")),
        "ResourceAlreadyExists: The specified log group already exists"
    );
    assert_eq!(said(store.create_log_stream(&scope, "g", "s", now())), "ok");
    assert_eq!(
        said(store.create_log_stream(&scope, "g", "s", now())),
        "ResourceAlreadyExists: The specified log stream already exists"
    );
    put(&store, "s", &[(0, "a")]).unwrap();
    assert_eq!(said(store.delete_log_stream(&scope, "g", "s")), "ok");
    assert_eq!(said(store.delete_log_stream(&scope, "g", "s")), no_stream);
    store.create_log_stream(&scope, "g", "s", now()).unwrap();
    assert!(messages(&store, "s").is_empty(), "a new stream of an old name");
    put(&store, "s", &[(0, "b")]).unwrap();
    store.delete_log_group(&scope, "g").unwrap();
    fill(&store, &["s"]);
    assert!(messages(&store, "s").is_empty(), "a new group of an old name");
}

#[test]
fn names_live_in_their_account_and_region() {
    let store = store(&["s"]);
    for other in [Scope::new("123456789012", "eu-west-1"), Scope::new("210987654321", "us-east-1")] {
        assert!(store.log_group(&other, "g").is_err());
        assert!(store.describe_log_groups(&other, &Default::default()).unwrap().log_groups.is_empty());
    }
    store.clear().unwrap();
    assert!(store.log_group(&scope(), "g").is_err());
}

#[test]
fn bad_names_are_refused() {
    let store = Store::in_memory();
    for (name, expect) in [
        ("aws/x", "InvalidParameter: Log groups starting with aws/ are reserved for AWS."),
        (
            "a b",
            "InvalidParameter: 1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy \
             constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+",
        ),
        (
            &"x".repeat(513),
            "InvalidParameter: Invalid LogGroup or LogStream, both must have length less than or equal to 512.",
        ),
    ] {
        assert_eq!(said(create_group(&store, name)), expect);
    }
}

#[test]
fn groups_are_described_in_ascii_order() {
    let store = Store::in_memory();
    for name in ["b", "/vpc/b", "B", "/vpc/a", "/vpcx", "a"] {
        create_group(&store, name).unwrap();
    }
    for limit in [None, Some(1), Some(2), Some(50)] {
        let request = DescribeLogGroups { limit, ..Default::default() };
        assert_eq!(names(&store, request.clone()), ["/vpc/a", "/vpc/b", "/vpcx", "B", "a", "b"]);
        let prefix = DescribeLogGroups { name_prefix: Some("/vpc/".into()), ..request.clone() };
        assert_eq!(names(&store, prefix), ["/vpc/a", "/vpc/b"]);
        let pattern = DescribeLogGroups { name_pattern: Some("b".into()), ..request.clone() };
        assert_eq!(names(&store, pattern), ["/vpc/b", "b"]);
        let all = DescribeLogGroups { name_pattern: Some(String::new()), ..request.clone() };
        assert_eq!(names(&store, all).len(), 6);
        let class = DescribeLogGroups { class: Some(LogGroupClass::Delivery), ..request };
        assert!(names(&store, class).is_empty());
    }
    let describe = |request| said(store.describe_log_groups(&scope(), &request));
    assert_eq!(
        describe(DescribeLogGroups {
            name_prefix: Some("a".into()),
            name_pattern: Some("b".into()),
            ..Default::default()
        }),
        "InvalidParameter: LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
    );
    assert_eq!(
        describe(DescribeLogGroups { next_token: Some("x".into()), ..Default::default() }),
        "InvalidParameter: The specified nextToken is invalid."
    );
    assert!(describe(DescribeLogGroups { limit: Some(51), ..Default::default() }).contains("equal to 50"));
}

#[test]
fn a_group_shows_what_it_was_given() {
    let store = Store::in_memory();
    let tags = BTreeMap::from([("team".to_owned(), "net".to_owned())]);
    let request = CreateLogGroup {
        name: "g".into(),
        class: LogGroupClass::InfrequentAccess,
        kms_key_id: Some("arn:k".into()),
        tags: tags.clone(),
        deletion_protection: true,
    };
    store.create_log_group(&scope(), request, now()).unwrap();
    store.create_log_stream(&scope(), "g", "s", now()).unwrap();
    put(&store, "s", &[(0, "four"), (0, "5five")]).unwrap();
    let mut expect = LogGroup {
        metric_filter_count: 0,
        name: "g".into(),
        creation_time: now(),
        retention_in_days: None,
        stored_bytes: 4 + 5 + 2 * 26,
        class: LogGroupClass::InfrequentAccess,
        kms_key_id: Some("arn:k".into()),
        tags,
        deletion_protection: true,
    };
    assert_eq!(store.log_group(&scope(), "g").unwrap(), expect);

    assert!(said(store.delete_log_group(&scope(), "g")).starts_with("Validation: "));
    store.set_deletion_protection(&scope(), "g", false).unwrap();
    store.set_kms_key(&scope(), "g", None).unwrap();
    store.put_retention_policy(&scope(), "g", 14).unwrap();
    let more = (0..49).map(|i| (format!("k{i}"), String::new())).collect();
    store.tag_log_group(&scope(), "g", more).unwrap();
    let one = BTreeMap::from([("last".to_owned(), String::new())]);
    assert!(said(store.tag_log_group(&scope(), "g", one)).starts_with("TooManyTags: "));
    let keys = (0..49).map(|i| format!("k{i}")).collect();
    store.untag_log_group(&scope(), "g", keys).unwrap();
    expect.deletion_protection = false;
    expect.kms_key_id = None;
    expect.retention_in_days = Some(14);
    assert_eq!(store.log_group(&scope(), "g").unwrap(), expect);
    store.delete_log_group(&scope(), "g").unwrap();
}

#[test]
fn retention_takes_the_values_of_aws_only() {
    let store = store(&[]);
    let allowed = crate::limits::RETENTION_DAYS;
    for days in -1..4000 {
        let result = store.put_retention_policy(&scope(), "g", days);
        assert_eq!(result.is_ok(), allowed.contains(&days), "{days}");
    }
    assert_eq!(
        said(store.put_retention_policy(&scope(), "g", 10)),
        "InvalidParameter: 1 validation error detected: Value '10' at 'retentionInDays' failed to satisfy \
         constraint: Member must satisfy enum value set: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, \
         545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]"
    );
    for _ in 0..2 {
        store.delete_retention_policy(&scope(), "g").unwrap();
        assert_eq!(store.log_group(&scope(), "g").unwrap().retention_in_days, None);
    }
}

#[test]
fn streams_are_described_by_name_or_by_last_event() {
    let store = store(&["c", "a", "b", "eni-1", "eni-2"]);
    put(&store, "a", &[(30, "x")]).unwrap();
    put(&store, "b", &[(10, "x")]).unwrap();
    put(&store, "c", &[(20, "x")]).unwrap();
    for limit in [None, Some(1), Some(2), Some(50)] {
        for (order_by, descending, prefix, expect) in [
            (OrderBy::LogStreamName, false, None, "a b c eni-1 eni-2"),
            (OrderBy::LogStreamName, true, None, "eni-2 eni-1 c b a"),
            (OrderBy::LogStreamName, false, Some("eni-"), "eni-1 eni-2"),
            (OrderBy::LogStreamName, true, Some("eni-"), "eni-2 eni-1"),
            (OrderBy::LastEventTime, false, None, "eni-1 eni-2 b c a"),
            (OrderBy::LastEventTime, true, None, "a c b eni-2 eni-1"),
        ] {
            let name_prefix = prefix.map(str::to_owned);
            let request =
                DescribeLogStreams { order_by, descending, name_prefix, limit, ..Default::default() };
            assert_eq!(streams(&store, request).join(" "), expect, "{order_by:?} {descending} {limit:?}");
        }
    }
    let describe = |request| said(store.describe_log_streams(&scope(), &request, now()));
    let request = DescribeLogStreams { group: "g".into(), ..Default::default() };
    assert_eq!(
        describe(DescribeLogStreams {
            order_by: OrderBy::LastEventTime,
            name_prefix: Some("a".into()),
            ..request.clone()
        }),
        "InvalidParameter: Cannot order by LastEventTime with a logStreamNamePrefix."
    );
    assert_eq!(
        describe(DescribeLogStreams { next_token: Some("x".into()), ..request.clone() }),
        "InvalidParameter: The specified nextToken is invalid."
    );
    assert_eq!(
        describe(DescribeLogStreams { group: "none".into(), ..request }),
        "ResourceNotFound: The specified log group does not exist."
    );
    assert!("Name".parse::<OrderBy>().unwrap_err().to_string().ends_with("[LogStreamName, LastEventTime]"));
    assert!(
        "X".parse::<LogGroupClass>()
            .unwrap_err()
            .to_string()
            .contains("[STANDARD, INFREQUENT_ACCESS, DELIVERY]")
    );
}

#[test]
fn a_stream_shows_its_first_and_last_event() {
    let store = store(&["s"]);
    let shown = || {
        let request = DescribeLogStreams { group: "g".into(), ..Default::default() };
        store.describe_log_streams(&scope(), &request, now()).unwrap().log_streams.remove(0)
    };
    let mut expect = LogStream {
        name: "s".into(),
        creation_time: now(),
        first_event_timestamp: None,
        last_event_timestamp: None,
        last_ingestion_time: None,
        upload_sequence_token: None,
    };
    assert_eq!(shown(), expect);
    let token = put(&store, "s", &[(-2 * DAY, "x"), (-DAY, "y")]).unwrap().next_sequence_token;
    put(&store, "s", &[(5, "z")]).unwrap();
    expect.first_event_timestamp = Some(UnixMillis(NOW - 2 * DAY));
    expect.last_event_timestamp = Some(UnixMillis(NOW + 5));
    expect.last_ingestion_time = Some(now());
    expect.upload_sequence_token = shown().upload_sequence_token;
    assert_eq!(shown(), expect);
    assert!(expect.upload_sequence_token.as_ref() > Some(&token));
    store.put_retention_policy(&scope(), "g", 1).unwrap();
    expect.first_event_timestamp = Some(UnixMillis(NOW - DAY));
    assert_eq!(shown(), expect);
}
