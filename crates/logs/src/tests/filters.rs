//! Metric filters, subscription filters, policies and query definitions.

use super::*;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const SSH: &str = "[version, account, eni, source, destination, srcport, destport=\"22\", protocol=\"6\", packets, bytes, windowstart, windowend, action=\"REJECT\", flowlogstatus]";

fn record(action: &str, bytes: u32) -> String {
    format!("2 123456789012 eni-1 192.0.2.7 10.0.0.5 39611 22 6 1 {bytes} 1700000000 1700000060 {action} OK")
}

fn put_filter(
    store: &Store,
    name: &str,
    pattern: &str,
    transformation: MetricTransformation,
) -> Result<(), LogsError> {
    let request = PutMetricFilter {
        group: "g".into(),
        name: name.into(),
        filter: MetricFilter { pattern: pattern.into(), ..Default::default() },
        transformations: vec![transformation],
        lax: false,
    };
    store.put_metric_filter(&scope(), request, now())
}

fn counts(value: &str) -> MetricTransformation {
    MetricTransformation {
        metric_name: "m".into(),
        metric_namespace: "n".into(),
        metric_value: value.into(),
        ..Default::default()
    }
}

/// Keeps what it hears.
#[derive(Default)]
struct Ear(Mutex<Vec<MetricSample>>);

impl Listener for Ear {
    fn stored(&self, batch: &Stored<'_>) {
        self.0.lock().unwrap().extend(batch.metric_samples());
    }
}

/// Each sample as `minute values default dimensions`; minutes after NOW's.
fn heard(store: &Store, events: &[(i64, &str)]) -> Vec<String> {
    let ear = Arc::new(Ear::default());
    store.listen(ear.clone());
    put(store, "s", events).unwrap();
    let samples = ear.0.lock().unwrap();
    let first = NOW.div_euclid(60_000) * 60_000;
    let shown = samples.iter().map(|s| {
        let minute = (s.minute - first) / 60_000;
        let dimensions: Vec<String> = s.dimensions.iter().map(|(k, v)| format!("{k}={v}")).collect();
        format!("{minute} {:?} {:?} {}", s.values, s.default, dimensions.join(","))
    });
    shown.collect()
}

#[test]
fn matching_events_give_their_value_to_their_minute() {
    let (hit, miss) = (record("REJECT", 40), record("ACCEPT", 50));
    let with = |value: &str, default: Option<f64>, dimensions: &[(&str, &str)]| MetricTransformation {
        default_value: default,
        dimensions: dimensions.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        ..counts(value)
    };
    let json = r#"{"action": "REJECT", "latency": 12.5, "host": "a"}"#;
    for (pattern, transformation, events, expected) in [
        (
            SSH,
            with("1", None, &[]),
            vec![(0, &*hit), (1, &*hit), (60_000, &*miss)],
            vec!["0 [1.0, 1.0] None "],
        ),
        (
            SSH,
            with("1", Some(0.0), &[]),
            vec![(0, &*hit), (1, &*miss), (60_000, &*miss)],
            vec!["1 [] Some(0.0) ", "0 [1.0] None "],
        ),
        (SSH, with("$bytes", None, &[]), vec![(0, &*hit)], vec!["0 [40.0] None "]),
        (SSH, with("$source", None, &[]), vec![(0, &*hit)], vec![]),
        (
            SSH,
            with("1", None, &[("Interface", "$eni"), ("By", "$source")]),
            vec![(0, &*hit)],
            vec!["0 [1.0] None By=192.0.2.7,Interface=eni-1"],
        ),
        ("REJECT", with("2.5", None, &[]), vec![(0, &*hit)], vec!["0 [2.5] None "]),
        (
            "{$.latency > 1}",
            with("$.latency", None, &[("Host", "$.host")]),
            vec![(0, json)],
            vec!["0 [12.5] None Host=a"],
        ),
        ("{$.latency > 1}", with("$.none", None, &[]), vec![(0, json)], vec![]),
        ("{$.latency > 1}", with("1", None, &[("Host", "$.none")]), vec![(0, json)], vec![]),
    ] {
        let store = store(&["s"]);
        put_filter(&store, "f", pattern, transformation).unwrap();
        assert_eq!(heard(&store, &events), expected, "{pattern}");
    }
}

#[test]
fn a_batch_that_comes_again_is_not_counted_again() {
    let store = store(&["s"]);
    put_filter(&store, "f", "", counts("1")).unwrap();
    let ear = Arc::new(Ear::default());
    store.listen(ear.clone());
    for _ in 0..2 {
        put_with(&store, "s", &[(0, "a")], Some("weir:1")).unwrap();
    }
    assert_eq!(ear.0.lock().unwrap().len(), 1);
}

#[test]
fn filters_that_aws_refuses() {
    let store = store(&["s"]);
    let dimension = |value: &str| MetricTransformation {
        dimensions: BTreeMap::from([("d".to_owned(), value.to_owned())]),
        ..counts("1")
    };
    let invalid = |text: &str| format!("InvalidParameter: {text}");
    for (name, pattern, transformation, expected) in [
        (
            "a:b",
            "",
            counts("1"),
            invalid(
                "1 validation error detected: Value 'a:b' at 'filterName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*",
            ),
        ),
        ("f", "[a", counts("1"), invalid("Invalid metric filter pattern")),
        ("f", "[a]", counts("x"), invalid("Invalid metric transformation: invalid metric value 'x'")),
        ("f", "ERROR", counts("$x"), invalid("Invalid metric transformation: invalid metric value '$x'")),
        ("f", "ERROR", dimension("$x"), invalid("The specified filter pattern does not support dimensions")),
        ("f", "[x]", dimension("x"), invalid("Invalid metric transformation: invalid dimension value 'x'")),
        (
            "f",
            "[x]",
            MetricTransformation { default_value: Some(0.0), ..dimension("$x") },
            invalid(
                "Invalid metric transformation: dimensions and default value are mutually exclusive properties",
            ),
        ),
        (
            "f",
            "",
            MetricTransformation { metric_namespace: "AWS/Logs".into(), ..counts("1") },
            invalid("Invalid metric transformation: reserved namespace"),
        ),
        ("f", "[x]", dimension("$x"), "ok".to_owned()),
    ] {
        assert_eq!(said(put_filter(&store, name, pattern, transformation)), expected, "{pattern}");
    }
    let two = PutMetricFilter {
        group: "g".into(),
        name: "f".into(),
        filter: MetricFilter::default(),
        transformations: vec![counts("1"), counts("2")],
        lax: false,
    };
    let text = store.put_metric_filter(&scope(), two, now()).unwrap_err().to_string();
    assert!(text.starts_with("1 validation error detected: Value '[MetricTransformation(metricName=m, metricNamespace=n, metricValue=1, defaultValue=null, unit=null, dimensions=null), MetricTransformation("), "{text}");
    assert!(text.ends_with("at 'metricTransformations' failed to satisfy constraint: Member must have length less than or equal to 1"), "{text}");
    for i in 0..99 {
        put_filter(&store, &format!("f{i}"), "", counts("1")).unwrap();
    }
    let full = put_filter(&store, "one-more", "", counts("1"));
    assert_eq!(said(full), "LimitExceeded: Resource limit exceeded.");
    assert_eq!(said(put_filter(&store, "f", "", counts("2"))), "ok", "a known name is replaced");
    assert_eq!(store.log_group(&scope(), "g").unwrap().metric_filter_count, 100);
}

#[test]
fn metric_filters_page_by_name() {
    let store = store(&[]);
    for name in ["b", "a", "c"] {
        put_filter(&store, name, "", counts("1")).unwrap();
    }
    let mut request = DescribeMetricFilters { limit: Some(2), ..Default::default() };
    let page = store.describe_metric_filters(&scope(), &request).unwrap();
    let names = |page: &MetricFilters| page.metric_filters.iter().map(|f| f.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&page), ["a", "b"]);
    request.next_token = page.next_token;
    let page = store.describe_metric_filters(&scope(), &request).unwrap();
    assert_eq!((names(&page), page.next_token), (vec!["c".to_owned()], None));
    let half = DescribeMetricFilters { metric_name: Some("m".into()), ..Default::default() };
    assert!(store.describe_metric_filters(&scope(), &half).is_err());
    assert_eq!(said(store.delete_metric_filter(&scope(), "g", "b")), "ok");
    let again = store.delete_metric_filter(&scope(), "g", "b");
    assert_eq!(said(again), "ResourceNotFound: The specified metric filter does not exist.");
}

#[test]
fn tested_patterns_show_what_they_extract() {
    let line = record("REJECT", 40);
    let found = test_metric_filter(SSH, &["x", &line]).unwrap();
    assert_eq!((found.len(), found[0].event_number), (1, 1));
    assert_eq!(found[0].extracted_values["$bytes"], "40");
    assert_eq!(said(test_metric_filter("[a", &["x"])), "InvalidParameter: Invalid metric filter pattern");
    assert!(test_metric_filter("", &[]).is_err());
    assert!(test_metric_filter("", &vec!["x"; 51]).is_err());
}

fn subscription() -> SubscriptionFilter {
    SubscriptionFilter {
        destination_arn: "arn:aws:lambda:us-east-1:123456789012:function:f".into(),
        distribution: "ByLogStream".into(),
        ..Default::default()
    }
}

fn subscribed(store: &Store, after: u64, max: usize) -> (Vec<String>, u64, bool) {
    let page = store.subscribed(&scope(), "g", after, max, 1 << 20).unwrap();
    (
        page.events.into_iter().map(|e| format!("{} {}", e.stream, e.message)).collect(),
        page.read_to,
        page.more,
    )
}

#[test]
fn subscribers_read_what_was_stored_after_their_place() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    fill(&store, &["s", "t"]);
    put(&store, "s", &[(0, "before")]).unwrap();
    store.put_subscription_filter(&scope(), "g", "f", subscription(), now()).unwrap();
    let (_, named) = store.subscription_filters().remove(0);
    let start = named.filter.after_sequence;
    // A late event, and one of another stream.
    put(&store, "s", &[(5, "one")]).unwrap();
    put(&store, "t", &[(4, "two"), (6, "three")]).unwrap();
    put(&store, "s", &[(1, "four")]).unwrap();
    let all = ["s one", "t two", "t three", "s four"].map(str::to_owned).to_vec();
    let mut store = store;
    for restart in [false, true] {
        if restart {
            drop(store);
            store = Store::open(dir.path()).unwrap();
        }
        assert_eq!(subscribed(&store, start, 100), (all.clone(), 5, false));
        assert_eq!(subscribed(&store, start, 2), (all[..2].to_vec(), 3, true));
        assert_eq!(subscribed(&store, 3, 100), (all[2..].to_vec(), 5, false));
        assert_eq!(subscribed(&store, 5, 100), (vec![], 5, false));
        assert_eq!(store.subscription_filters()[0].1.filter.after_sequence, start);
    }
}

#[test]
fn a_subscription_that_was_for_no_events_begins_when_it_is_for_some() {
    let store = store(&["s"]);
    let select = |criteria: Option<&str>| {
        let filter =
            SubscriptionFilter { field_selection_criteria: criteria.map(str::to_owned), ..subscription() };
        store.put_subscription_filter(&scope(), "g", "f", filter, now()).unwrap();
        store.subscription_filters().first().map(|(_, named)| named.filter.after_sequence)
    };
    assert_eq!(select(None), Some(0));
    put(&store, "s", &[(0, "one")]).unwrap();
    assert_eq!(select(None), Some(0));
    assert_eq!(select(Some("@aws.region = \"nowhere\"")), None);
    put(&store, "s", &[(1, "two")]).unwrap();
    assert_eq!(select(None), Some(2));
}

#[test]
fn two_subscriptions_a_group() {
    let store = store(&[]);
    let put = |name: &str| said(store.put_subscription_filter(&scope(), "g", name, subscription(), now()));
    assert_eq!(
        [put("a"), put("b"), put("c"), put("a")],
        ["ok", "ok", "LimitExceeded: Resource limit exceeded.", "ok"]
    );
    let missing = store.delete_subscription_filter(&scope(), "g", "c");
    assert_eq!(said(missing), "ResourceNotFound: The specified subscription filter does not exist.");
    let request = DescribeSubscriptionFilters { group: "g".into(), limit: Some(1), ..Default::default() };
    let page = store.describe_subscription_filters(&scope(), &request).unwrap();
    assert_eq!(page.subscription_filters[0].0, "a");
    let rest = DescribeSubscriptionFilters { next_token: page.next_token, ..request };
    let page = store.describe_subscription_filters(&scope(), &rest).unwrap();
    assert_eq!((page.subscription_filters[0].0.as_str(), page.next_token), ("b", None));
}

#[test]
fn filters_policies_and_definitions_survive_a_restart_and_a_new_file() {
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions { file_bytes: 4096, ..Default::default() };
    let store = Store::open_with(dir.path(), options).unwrap();
    fill(&store, &["s"]);
    put_filter(&store, "f", "", counts("1")).unwrap();
    let policy = |name: &str| PutResourcePolicy {
        name: Some(name.into()),
        document: "{}".into(),
        ..Default::default()
    };
    store.put_resource_policy(&scope(), policy("p"), now()).unwrap();
    store.put_resource_policy(&scope(), policy("q"), now()).unwrap();
    store.delete_resource_policy(&scope(), Some("q"), None, None).unwrap();
    let definition = QueryDefinition {
        id: "1".into(),
        name: "d".into(),
        query_string: "fields @message".into(),
        query_language: "CWLI".into(),
        ..Default::default()
    };
    store.put_query_definition(&scope(), definition, false, now()).unwrap();
    let text = "x".repeat(1000);
    for i in 0..20 {
        put(&store, "s", &[(i, &text)]).unwrap();
    }
    drop(store);
    let store = Store::open_with(dir.path(), options).unwrap();
    assert_eq!(store.log_group(&scope(), "g").unwrap().metric_filter_count, 1);
    let policies = store.describe_resource_policies(&scope(), None, None, None, None).unwrap();
    assert_eq!(policies.resource_policies.len(), 1);
    let definitions = store.describe_query_definitions(&scope(), None, None, None, None).unwrap();
    assert_eq!(definitions.query_definitions[0].name, "d");
    assert_eq!(heard(&store, &[(50, "y")]), ["0 [1.0] None "]);
    let gone = store.delete_resource_policy(&scope(), Some("q"), None, None);
    assert_eq!(said(gone), "ResourceNotFound: Policy with name [q] does not exist.");
}

#[test]
fn ten_account_policies() {
    let store = store(&[]);
    let put = |name: String| {
        let request = PutResourcePolicy { name: Some(name), document: "{}".into(), ..Default::default() };
        said(store.put_resource_policy(&scope(), request, now()))
    };
    for i in 0..10 {
        assert_eq!(put(format!("p{i}")), "ok");
    }
    assert_eq!(put("more".into()), "LimitExceeded: Resource limit exceeded.");
    assert_eq!(put("p0".into()), "ok");
    let of_group = PutResourcePolicy {
        document: "{}".into(),
        resource_arn: Some("arn:aws:logs:us-east-1:123456789012:log-group:g".into()),
        new_revision_id: "1".into(),
        ..Default::default()
    };
    store.put_resource_policy(&scope(), of_group.clone(), now()).unwrap();
    let wrong = PutResourcePolicy { expected_revision_id: Some("2".into()), ..of_group };
    assert!(said(store.put_resource_policy(&scope(), wrong, now())).starts_with("InvalidParameter"));
}
