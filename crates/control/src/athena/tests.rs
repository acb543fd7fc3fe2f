use super::execution::{self, Failure, Outcome, Start};
use super::*;
use crate::State as Db;
use crate::state::Scope;
use weir_types::time::UnixMillis;

fn at<T>(state: &Db, now: i64, work: impl Fn(Cx<'_>) -> Result<T>) -> Result<T> {
    let scope = Scope::new("123456789012", "us-east-1");
    state.transact(|tx| work(Cx { tx, scope: &scope, now: UnixMillis(now) }))
}

fn message<T>(outcome: Result<T>) -> String {
    match outcome {
        Err(ControlError::Fault { message, .. }) => message,
        Ok(_) => "ok".to_owned(),
        Err(error) => panic!("{error}"),
    }
}

fn select(query: &str, token: Option<&str>) -> Start {
    Start {
        query: query.to_owned(),
        substatement_type: "SELECT".to_owned(),
        work_group: "primary".to_owned(),
        output_location: Some("s3://results".to_owned()),
        client_token: token.map(str::to_owned),
        ..Start::default()
    }
}

#[test]
fn an_execution_ends_once() {
    let db = Db::in_memory().unwrap();
    let (first, is_new) = at(&db, 1000, |cx| execution::start(cx, &select("SELECT 1", None))).unwrap();
    assert!(is_new);
    assert_eq!(first.output_location, format!("s3://results/{}.csv", first.id));
    assert!(at(&db, 1010, |cx| execution::run(cx, &first.id)).unwrap());
    assert!(!at(&db, 1010, |cx| execution::run(cx, &first.id)).unwrap());
    let outcome = Outcome { update_count: Some(0), ..Outcome::default() };
    at(&db, 1100, |cx| execution::finish(cx, &first.id, Ok(&outcome))).unwrap();
    assert!(!at(&db, 1200, |cx| execution::stop(cx, &first.id)).unwrap());
    let done = at(&db, 1200, |cx| execution::get(cx, &first.id)).unwrap();
    assert_eq!((done.state, done.completed), (State::Succeeded, Some(UnixMillis(1100))));
    assert_eq!((done.statistics.queue_ms, done.statistics.total_ms), (10, 100));

    let (second, _) = at(&db, 2000, |cx| execution::start(cx, &select("SELECT 2", None))).unwrap();
    assert!(at(&db, 2100, |cx| execution::stop(cx, &second.id)).unwrap());
    let failure = Failure { category: 2, kind: 1000, message: "late".into() };
    at(&db, 2200, |cx| execution::finish(cx, &second.id, Err(&failure))).unwrap();
    let stopped = at(&db, 2200, |cx| execution::get(cx, &second.id)).unwrap();
    assert_eq!(
        (stopped.state, stopped.reason.as_deref()),
        (State::Cancelled, Some("Query cancelled by user"))
    );

    let (third, _) = at(&db, 3000, |cx| execution::start(cx, &select("SELECT 3", None))).unwrap();
    db.transact(|tx| execution::fail_unfinished(tx, UnixMillis(4000))).unwrap();
    let listed = at(&db, 4000, |cx| execution::list(cx, "primary")).unwrap();
    let states: Vec<(&str, &str)> = listed.iter().map(|e| (e.id.as_str(), e.state.as_str())).collect();
    assert_eq!(states, [(&*third.id, "FAILED"), (&*second.id, "CANCELLED"), (&*first.id, "SUCCEEDED")]);
}

#[test]
fn tokens_and_locations() {
    let db = Db::in_memory().unwrap();
    let token = Some("0123456789012345678901234567890123456789");
    let (first, _) = at(&db, 1, |cx| execution::start(cx, &select("SELECT 1", token))).unwrap();
    let (again, is_new) = at(&db, 2, |cx| execution::start(cx, &select("SELECT 1", token))).unwrap();
    assert_eq!((again.id, is_new), (first.id, false));
    let other = at(&db, 2, |cx| execution::start(cx, &select("SELECT 2", token)));
    assert_eq!(message(other), "Idempotent parameters do not match");
    for (location, expected) in [
        (Some("s3://b/x"), "ok"),
        (Some("b/x"), "outputLocation is not a valid S3 path."),
        (Some("s3:///x"), "outputLocation is not a valid S3 path."),
        (
            None,
            "No output location provided. An output location is required either through the Workgroup result \
                configuration setting or as an API input.",
        ),
    ] {
        assert_eq!(message(at(&db, 3, |cx| execution::output_folder(cx, "primary", location))), expected);
    }
    let configuration = serde_json::json!({"ResultConfiguration": {"OutputLocation": "s3://own/"}});
    let configuration: work_group::Configuration = serde_json::from_value(configuration).unwrap();
    at(&db, 4, |cx| work_group::create(cx, "g", None, configuration.clone(), &[])).unwrap();
    assert_eq!(at(&db, 5, |cx| execution::output_folder(cx, "g", Some("s3://b/"))).unwrap(), "s3://own/");
    at(&db, 6, |cx| {
        work_group::update(cx, "g", |g| g.configuration.enforce_work_group_configuration = Some(false))
    })
    .unwrap();
    assert_eq!(at(&db, 7, |cx| execution::output_folder(cx, "g", Some("s3://b/"))).unwrap(), "s3://b/");
    assert_eq!(
        message(at(&db, 8, |cx| execution::output_folder(cx, "h", None))),
        "WorkGroup h is not found."
    );
}

#[test]
fn a_group_with_queries_goes_only_with_them() {
    let db = Db::in_memory().unwrap();
    let create =
        |name: &str| message(at(&db, 1, |cx| work_group::create(cx, name, None, Default::default(), &[])));
    assert_eq!(create("g"), "ok");
    assert_eq!(create("g"), "WorkGroup already exists");
    assert_ne!(create("a b"), "ok");
    let query = NamedQuery { name: "q".into(), work_group: "g".into(), ..NamedQuery::default() };
    let id = at(&db, 2, |cx| named_query::create(cx, query.clone())).unwrap();
    assert_eq!(id.len(), 36);
    at(&db, 2, |cx| prepared_statement::put(cx, "g", "p", "SELECT ?", None, false)).unwrap();
    assert_eq!(message(at(&db, 3, |cx| work_group::delete(cx, "g", false))), "WorkGroup g is not empty");
    assert_eq!(message(at(&db, 3, |cx| work_group::delete(cx, "g", true))), "ok");
    assert_eq!(message(at(&db, 4, |cx| named_query::get(cx, &id))), format!("NamedQuery {id} was not found"));
    assert_eq!(
        message(at(&db, 4, |cx| work_group::delete(cx, "primary", true))),
        "WorkGroup primary is not allowed to be deleted"
    );
}
