use super::*;
use crate::State;
use crate::state::{Cx, Scope};
use weir_types::time::UnixMillis;

fn with<T>(state: &State, work: impl Fn(Cx<'_>) -> Result<T>) -> Result<T> {
    let scope = Scope::new("123456789012", "us-east-1");
    state.transact(|tx| work(Cx { tx, scope: &scope, now: UnixMillis(1) }))
}

fn code<T: std::fmt::Debug>(outcome: Result<T>) -> &'static str {
    match outcome {
        Err(ControlError::Fault { code, .. }) => code,
        Ok(_) => "ok",
        Err(error) => panic!("{error}"),
    }
}

fn table(name: &str, keys: &[&str]) -> TableInput {
    TableInput {
        name: name.to_owned(),
        partition_keys: Some(keys.iter().map(|key| Column::new(key, "string", None)).collect()),
        storage_descriptor: Some(StorageDescriptor {
            columns: Some(vec![Column::new("SrcAddr", "string", None)]),
            ..StorageDescriptor::default()
        }),
        ..TableInput::default()
    }
}

fn values(list: &[&str]) -> Vec<String> {
    list.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn databases_tables_partitions() {
    let state = State::in_memory().unwrap();
    let database = |name: &str| DatabaseInput { name: name.to_owned(), ..DatabaseInput::default() };
    let part = |list: &[&str]| PartitionInput { values: values(list), ..PartitionInput::default() };
    assert_eq!(code(with(&state, |cx| database::create(cx, database("Logs")))), "ok");
    assert_eq!(code(with(&state, |cx| database::create(cx, database("logs")))), "AlreadyExistsException");
    assert_eq!(code(with(&state, |cx| database::create(cx, database("")))), "InvalidInputException");
    let names =
        with(&state, |cx| Ok(database::list(cx)?.iter().map(|d| d.name().to_owned()).collect::<Vec<_>>()));
    assert_eq!(names.unwrap(), ["default", "logs"]);

    assert_eq!(
        code(with(&state, |cx| table::create(cx, "none", table("t", &[])))),
        "EntityNotFoundException"
    );
    assert_eq!(code(with(&state, |cx| table::create(cx, "LOGS", table("T", &["Day"])))), "ok");
    assert_eq!(code(with(&state, |cx| table::create(cx, "logs", table("t", &[])))), "AlreadyExistsException");
    let found = with(&state, |cx| table::get(cx, "logs", "t")).unwrap();
    assert_eq!(
        (found.input.columns()[0].name.as_str(), found.input.keys()[0].name.as_str()),
        ("srcaddr", "day")
    );

    assert_eq!(code(with(&state, |cx| partition::create(cx, &found, part(&["2026/11/01"])))), "ok");
    assert_eq!(
        code(with(&state, |cx| partition::create(cx, &found, part(&["2026/11/01"])))),
        "AlreadyExistsException"
    );
    assert_eq!(
        code(with(&state, |cx| partition::create(cx, &found, part(&["a", "b"])))),
        "InvalidInputException"
    );
    let renamed = with(&state, |cx| {
        partition::update(cx, &found, &values(&["2026/11/01"]), part(&["2026/11/02"]))?;
        partition::list(cx, &found)
    });
    assert_eq!(renamed.unwrap()[0].input.values, ["2026/11/02"]);

    // The table takes its partitions along.
    with(&state, |cx| table::delete(cx, "logs", "t")).unwrap();
    with(&state, |cx| table::create(cx, "logs", table("t", &["day"]))).unwrap();
    assert_eq!(with(&state, |cx| partition::list(cx, &found)).unwrap(), []);
    assert_eq!(code(with(&state, |cx| database::delete(cx, "logs"))), "ok");
    assert_eq!(code(with(&state, |cx| table::get(cx, "logs", "t"))), "EntityNotFoundException");
}

#[test]
fn what_is_not_known_is_kept() {
    let json = serde_json::json!({
        "Name": "t", "Owner": "me", "Retention": 3,
        "StorageDescriptor": {"Columns": [{"Name": "a", "Type": "int"}], "SortColumns": []},
    });
    let read: TableInput = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), json);
}
