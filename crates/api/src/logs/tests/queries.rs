//! Insights queries as a client sees them, over an engine whose queries end
//! when the test says so.

use super::*;
use crate::insights::{Begun, Cancel, End, Ended, Insights, Queries};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use weir_logs::insights::{Pointer, Progress, Request, Rows};

/// Keeps what it is told.
#[derive(Default)]
struct Held {
    started: Mutex<Vec<(Request, Option<Ended>)>>,
    cancelled: Arc<Mutex<usize>>,
}

impl Insights for Held {
    fn start(&self, request: Request, progress: Arc<Progress>, begun: Begun, ended: Ended) -> Cancel {
        begun();
        progress.read(7, 700);
        self.started.lock().unwrap().push((request, Some(ended)));
        let cancelled = self.cancelled.clone();
        Box::new(move || *cancelled.lock().unwrap() += 1)
    }
}

impl Held {
    fn end(&self, number: usize, end: End) {
        let ended = self.started.lock().unwrap()[number].1.take().unwrap();
        ended(end);
    }
}

fn rows(count: usize) -> Rows {
    let row = |i| vec![Some(format!("v{i}")), None, Some(format!("p{i}"))];
    Rows { columns: vec!["a".into(), "b".into(), "@ptr".into()], rows: (0..count).map(row).collect() }
}

fn world() -> (World, Arc<Held>) {
    let engine = Arc::new(Held::default());
    let world = World::querying(engine.clone());
    for name in ["/vpc/flow", "/vpc/other", "x"] {
        logs(&world.root(), "CreateLogGroup", json!({ "logGroupName": name })).ok();
    }
    (world, engine)
}

fn query(groups: Value) -> Value {
    with(&json!({"queryString": "fields a", "startTime": 100, "endTime": 200}), groups)
}

fn start(world: &World, members: Value) -> String {
    let answer = logs(&world.root(), "StartQuery", members).ok().json();
    answer["queryId"].as_str().unwrap().to_owned()
}

#[test]
fn a_query_from_its_start_to_its_rows() {
    let (world, engine) = world();
    let root = world.root();
    let id = start(&world, query(json!({"logGroupName": "/vpc/flow", "limit": 5})));
    {
        let started = engine.started.lock().unwrap();
        let request = &started[0].0;
        // Seconds; the last one counts as a whole.
        assert_eq!((request.start, request.end, request.limit), (100_000, 200_999, 5));
        assert_eq!(request.groups.len(), 1);
    }
    let asked = json!({ "queryId": id });
    let answer = logs(&root, "GetQueryResults", asked.clone()).ok().json();
    assert_eq!((&answer["status"], &answer["results"]), (&json!("Running"), &json!([])));
    assert_eq!(answer["statistics"]["recordsScanned"], json!(7.0));
    engine.end(0, End::Complete(rows(3)));
    let answer = logs(&root, "GetQueryResults", with(&asked, json!({"maxItems": 2}))).ok().json();
    assert_eq!(answer["status"], json!("Complete"));
    let row = |i: usize| json!([{"field": "a", "value": format!("v{i}")}, {"field": "@ptr", "value": format!("p{i}")}]);
    assert_eq!(answer["results"], json!([row(0), row(1)]));
    let next = with(&asked, json!({ "nextToken": answer["nextToken"] }));
    let answer = logs(&root, "GetQueryResults", next).ok().json();
    assert_eq!((&answer["results"], &answer["nextToken"]), (&json!([row(2)]), &Value::Null));
    let stopped = logs(&root, "StopQuery", asked.clone());
    assert_eq!(stopped.code(), "InvalidParameterException");
    assert_eq!(stopped.message(), "The query is not running: its status is Complete.");
    let told = logs(&root, "DescribeQueries", json!({"logGroupName": "/vpc/flow"})).ok().json();
    assert_eq!(told["queries"][0]["queryId"], json!(id));
    assert_eq!(
        told["queries"][0]["queryString"],
        json!("SOURCE \"/vpc/flow\" START=100000 END=200999 | fields a")
    );
    let mut elsewhere = world.root();
    elsewhere.region = "eu-west-1".into();
    assert_eq!(logs(&elsewhere, "GetQueryResults", asked).code(), "ResourceNotFoundException");
}

#[test]
fn queries_that_do_not_end_well() {
    let (world, engine) = world();
    let root = world.root();
    let ids: Vec<String> = (0..3).map(|_| start(&world, query(json!({"logGroupName": "x"})))).collect();
    let stopped = logs(&root, "StopQuery", json!({ "queryId": ids[0] })).ok().json();
    assert_eq!(stopped, json!({"success": true}));
    assert_eq!(*engine.cancelled.lock().unwrap(), 1);
    // What an engine says after that changes nothing.
    engine.end(0, End::Complete(rows(1)));
    engine.end(1, End::Failed("reason".into()));
    engine.end(2, End::TimedOut);
    for (id, status) in ids.iter().zip(["Cancelled", "Failed", "Timeout"]) {
        let answer = logs(&root, "GetQueryResults", json!({ "queryId": id })).ok().json();
        assert_eq!((&answer["status"], &answer["results"]), (&json!(status), &json!([])));
        let told = logs(&root, "DescribeQueries", json!({ "status": status })).ok().json();
        assert_eq!(told["queries"].as_array().unwrap().len(), 1);
    }
    let page = logs(&root, "DescribeQueries", json!({"maxResults": 2})).ok().json();
    assert_eq!(page["queries"][0]["queryId"], json!(ids[2]));
    let rest = logs(&root, "DescribeQueries", json!({"nextToken": page["nextToken"]})).ok().json();
    assert_eq!((&rest["queries"][0]["queryId"], &rest["nextToken"]), (&json!(ids[0]), &Value::Null));
}

/// An engine whose queries are stopped before it has given the means to cancel them.
#[derive(Default)]
struct Late {
    queries: OnceLock<Weak<Queries>>,
    cancelled: Arc<Mutex<usize>>,
}

impl Insights for Late {
    fn start(&self, _: Request, _: Arc<Progress>, begun: Begun, _: Ended) -> Cancel {
        begun();
        self.queries.get().and_then(Weak::upgrade).unwrap().clear();
        let cancelled = self.cancelled.clone();
        Box::new(move || *cancelled.lock().unwrap() += 1)
    }
}

#[test]
fn a_query_that_is_stopped_while_it_starts_is_cancelled() {
    let engine = Arc::new(Late::default());
    let world = World::querying(engine.clone());
    engine.queries.set(Arc::downgrade(&world.services.insights)).unwrap();
    logs(&world.root(), "CreateLogGroup", json!({"logGroupName": "x"})).ok();
    start(&world, query(json!({"logGroupName": "x"})));
    assert_eq!(*engine.cancelled.lock().unwrap(), 1);
}

#[test]
fn a_hundred_at_once() {
    let (world, engine) = world();
    for _ in 0..100 {
        start(&world, query(json!({"logGroupName": "x"})));
    }
    let more = query(json!({"logGroupName": "x"}));
    assert_eq!(logs(&world.root(), "StartQuery", more.clone()).code(), "LimitExceededException");
    engine.end(5, End::Complete(rows(0)));
    start(&world, more);
}

#[test]
fn groups_by_name_identifier_and_source() {
    let (world, engine) = world();
    let arn = "arn:aws:logs:us-east-1:123456789012:log-group:/vpc/other";
    let text = |text: &str| json!({ "queryString": text });
    for (members, wanted) in [
        (json!({"logGroupNames": ["x", "/vpc/flow", "x"]}), vec!["x", "/vpc/flow"]),
        (json!({"logGroupIdentifiers": [arn, "x"]}), vec!["/vpc/other", "x"]),
        (text("SOURCE logGroups(namePrefix: ['/vpc'])"), vec!["/vpc/flow", "/vpc/other"]),
        (text("SOURCE 'x' | fields a"), vec!["x"]),
    ] {
        start(&world, query(members));
        let started = engine.started.lock().unwrap();
        let names: Vec<&str> = started.last().unwrap().0.groups.iter().map(|g| g.name.as_str()).collect();
        assert_eq!(names, wanted);
    }
}

#[test]
fn refusals() {
    let (world, _) = world();
    let many: Vec<String> = (0..51).map(|i| format!("g{i}")).collect();
    for (members, wanted) in [
        (json!({}), "InvalidParameterException One of logGroupName, logGroupNames and"),
        (
            json!({"logGroupName": "x", "logGroupNames": ["x"]}),
            "InvalidParameterException logGroupName, logGroupNames",
        ),
        (
            json!({ "logGroupNames": many }),
            "InvalidParameterException 1 validation error detected: Value '[g0, g1",
        ),
        (
            json!({"logGroupName": "x", "limit": 100_001}),
            "InvalidParameterException 1 validation error detected: Value '100001' at 'limit'",
        ),
        (json!({"logGroupName": "x", "startTime": 201}), "InvalidParameterException The start time"),
        (
            json!({"logGroupName": "x", "startTime": null}),
            "InvalidParameterException 1 validation error detected: Value null at 'startTime'",
        ),
        (
            json!({"logGroupName": "x", "queryLanguage": "SQL"}),
            "InvalidParameterException The query language SQL",
        ),
        (
            json!({"logGroupName": "x", "queryLanguage": "KQL"}),
            "InvalidParameterException 1 validation error detected: Value 'KQL'",
        ),
        (
            json!({"logGroupName": "x", "queryString": "SOURCE 'x'"}),
            "InvalidParameterException The query has a SOURCE",
        ),
        (
            json!({"logGroupName": "x", "queryString": "test"}),
            "MalformedQueryException unexpected symbol found test",
        ),
        (
            json!({"logGroupName": "gone"}),
            "ResourceNotFoundException Log group 'gone' does not exist for account ID '123456789012' (Service: AWSLogs;",
        ),
    ] {
        let answer = logs(&world.root(), "StartQuery", query(members));
        let told = format!("{} {}", answer.code(), answer.message());
        assert!(told.starts_with(wanted), "{told}");
    }
    let answer =
        logs(&world.root(), "StartQuery", query(json!({"logGroupName": "x", "queryString": "fields a |"})));
    let wanted = json!({"startCharOffset": 10, "endCharOffset": 10});
    assert_eq!(answer.json()["queryCompileError"]["location"], wanted);
    let none = json!({"queryId": "none"});
    assert_eq!(logs(&world.root(), "GetQueryResults", none.clone()).code(), "ResourceNotFoundException");
    assert_eq!(logs(&world.root(), "StopQuery", none).code(), "ResourceNotFoundException");
    // Suites for emulators query with any text, and know another error.
    let emulator = World::emulator();
    logs(&emulator.root(), "CreateLogGroup", json!({"logGroupName": "x"})).ok();
    logs(&emulator.root(), "StartQuery", query(json!({"logGroupName": "x", "queryString": "test"}))).ok();
    let gone = logs(&emulator.root(), "StartQuery", query(json!({"logGroupName": "gone"})));
    assert_eq!(gone.message(), "The specified log group does not exist.");
}

#[test]
fn permissions() {
    let (world, _) = world();
    let group = "arn:aws:logs:us-east-1:123456789012:log-group:/vpc/flow:*";
    let statement = json!({"Effect": "Allow", "Action": ["logs:StartQuery", "logs:GetLogGroupFields"], "Resource": group});
    world.role("r", &json!({"Version": "2012-10-17", "Statement": [statement]}).to_string());
    let client = world.root().assume("r");
    let denied = "AccessDeniedException";
    for (action, members, wanted) in [
        ("StartQuery", query(json!({"logGroupName": "/vpc/flow"})), "ok"),
        ("StartQuery", query(json!({"logGroupNames": ["/vpc/flow", "x"]})), denied),
        ("StartQuery", query(json!({"queryString": "SOURCE logGroups(namePrefix: ['/vpc'])"})), denied),
        ("GetLogGroupFields", json!({"logGroupName": "/vpc/flow"}), "ok"),
        ("GetLogGroupFields", json!({"logGroupName": "x"}), denied),
        ("GetLogRecord", json!({"logRecordPointer": "1:2:/vpc/flow:s"}), denied),
        ("GetQueryResults", json!({"queryId": "none"}), denied),
        ("StopQuery", json!({"queryId": "none"}), denied),
        ("DescribeQueries", json!({}), denied),
    ] {
        assert_eq!(logs(&client, action, members).code(), wanted, "{action}");
    }
}

#[test]
fn records_and_fields() {
    let (world, _) = world();
    let root = world.root();
    logs(&root, "CreateLogStream", json!({"logGroupName": "x", "logStreamName": "s"})).ok();
    let at = world.now().0 - 1000;
    let line = "2 123456789012 eni-1 10.0.0.1 10.0.0.2 1 22 6 1 40 1 2 REJECT OK";
    let events =
        json!([{"timestamp": at, "message": line}, {"timestamp": at, "message": "{\"a\": {\"b\": 1}}"}]);
    logs(&root, "PutLogEvents", json!({"logGroupName": "x", "logStreamName": "s", "logEvents": events})).ok();
    let found = logs(&root, "FilterLogEvents", json!({"logGroupName": "x"})).ok().json();
    let pointer = |i: usize| {
        let event_id = found["events"][i]["eventId"].as_str().unwrap().to_owned();
        Pointer { group: "x".into(), stream: "s".into(), timestamp: at, event_id }.to_text()
    };
    let record = |i| {
        logs(&root, "GetLogRecord", json!({ "logRecordPointer": pointer(i) })).ok().json()["logRecord"]
            .clone()
    };
    let first = record(0);
    assert_eq!((&first["srcAddr"], &first["@message"]), (&json!("10.0.0.1"), &json!(line)));
    assert_eq!((&first["@log"], &first["@timestamp"]), (&json!("123456789012:x"), &json!(at.to_string())));
    assert_eq!(record(1)["a.b"], json!("1"));
    for (pointer, code) in [
        ("nonsense", "InvalidParameterException"),
        ("1:2:a b:s", "InvalidParameterException"),
        (&format!("{at}:0:x:s"), "ResourceNotFoundException"),
        ("1:2:gone:s", "ResourceNotFoundException"),
    ] {
        let answer = logs(&root, "GetLogRecord", json!({ "logRecordPointer": pointer }));
        assert_eq!(answer.code(), code, "{pointer}");
    }
    let fields = logs(&root, "GetLogGroupFields", json!({"logGroupName": "x"})).ok().json();
    let percent = |name: &str| {
        let fields = fields["logGroupFields"].as_array().unwrap();
        fields.iter().find(|field| field["name"] == name).map(|field| field["percent"].as_i64().unwrap())
    };
    assert_eq!(
        (percent("@message"), percent("srcAddr"), percent("a.b"), percent("x")),
        (Some(100), Some(50), Some(50), None)
    );
    let long_ago = logs(&root, "GetLogGroupFields", json!({"logGroupName": "x", "time": 1000})).ok().json();
    assert_eq!(long_ago["logGroupFields"], json!([]));
}
