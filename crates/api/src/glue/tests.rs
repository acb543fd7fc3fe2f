use crate::testing::{World, allow};
use serde_json::{Value, json};

#[test]
fn tables_and_partitions() {
    let world = World::new();
    let root = world.root();
    let glue = |action: &str, members: Value| root.json("glue", action, members);
    glue("CreateDatabase", json!({"DatabaseInput": {"Name": "d", "Description": "x"}})).ok();
    let again = glue("CreateDatabase", json!({"DatabaseInput": {"Name": "D"}}));
    assert_eq!(
        (again.code().as_str(), &*again.message()),
        ("AlreadyExistsException", "Database already exists.")
    );
    let names: Vec<Value> = glue("GetDatabases", json!({})).ok().json()["DatabaseList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["Name"].clone())
        .collect();
    assert_eq!(names, ["d", "default"]);
    let input = json!({
        "Name": "t", "Owner": "me", "Parameters": {"k": "v"},
        "PartitionKeys": [{"Name": "year", "Type": "int"}, {"Name": "day", "Type": "string"}],
        "StorageDescriptor": {"Columns": [{"Name": "A", "Type": "int", "Comment": "c"}], "Location": "s3://b/"},
    });
    glue("CreateTable", json!({"DatabaseName": "d", "TableInput": input})).ok();
    let table = glue("GetTable", json!({"DatabaseName": "d", "Name": "T"})).ok().json()["Table"].clone();
    assert_eq!(
        (&table["Owner"], &table["VersionId"], &table["DatabaseName"]),
        (&json!("me"), &json!("0"), &json!("d"))
    );
    assert_eq!(table["StorageDescriptor"]["Columns"], json!([{"Name": "a", "Type": "int", "Comment": "c"}]));
    assert_eq!(glue("GetTable", json!({"DatabaseName": "d", "Name": "x"})).code(), "EntityNotFoundException");

    let of = |more: Value| {
        let mut members = json!({"DatabaseName": "d", "TableName": "t"});
        members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        members
    };
    let part =
        |year: &str, day: &str| json!({"Values": [year, day], "StorageDescriptor": {"Location": "s3://b/x"}});
    let list = json!([part("2025", "a/b"), part("2026", "b"), part("2026", "b"), part("2026", "c")]);
    let made = glue("BatchCreatePartition", of(json!({"PartitionInputList": list}))).ok().json();
    assert_eq!(made["Errors"].as_array().unwrap().len(), 1);
    assert_eq!(made["Errors"][0]["ErrorDetail"]["ErrorCode"], "AlreadyExistsException");
    let values = |members: Value| -> Vec<Value> {
        let found = glue("GetPartitions", of(members)).ok().json();
        found["Partitions"].as_array().unwrap().iter().map(|p| p["Values"].clone()).collect()
    };
    assert_eq!(values(json!({})).len(), 3);
    assert_eq!(values(json!({"Expression": "year = 2026 AND day > 'b'"})), [json!(["2026", "c"])]);
    assert_eq!(values(json!({"Segment": {"SegmentNumber": 0, "TotalSegments": 2}})).len(), 2);
    let first = glue("GetPartitions", of(json!({"MaxResults": 2}))).ok().json();
    let rest = glue("GetPartitions", of(json!({"NextToken": first["NextToken"]}))).ok().json();
    assert_eq!(rest["Partitions"].as_array().unwrap().len(), 1);
    let got = glue("GetPartition", of(json!({"PartitionValues": ["2025", "a/b"]}))).ok().json();
    assert_eq!(got["Partition"]["TableName"], "t");
    let got = glue(
        "BatchGetPartition",
        of(json!({"PartitionsToGet": [{"Values": ["2026", "b"]}, {"Values": ["1", "b"]}]})),
    );
    let got = got.ok().json();
    assert_eq!(
        (got["Partitions"].as_array().unwrap().len(), &got["UnprocessedKeys"]),
        (1, &json!([{"Values": ["1", "b"]}]))
    );
    glue(
        "UpdatePartition",
        of(json!({"PartitionValueList": ["2026", "b"], "PartitionInput": part("2026", "z")})),
    )
    .ok();
    assert_eq!(
        glue("DeletePartition", of(json!({"PartitionValues": ["2026", "b"]}))).code(),
        "EntityNotFoundException"
    );
    glue("DeletePartition", of(json!({"PartitionValues": ["2026", "z"]}))).ok();
    assert_eq!(values(json!({})).len(), 2);
    glue("UpdateTable", json!({"DatabaseName": "d", "TableInput": {"Name": "t"}})).ok();
    let gone =
        glue("BatchDeleteTable", json!({"DatabaseName": "d", "TablesToDelete": ["t", "u"]})).ok().json();
    assert_eq!(gone["Errors"][0]["TableName"], "u");
    glue("DeleteDatabase", json!({"Name": "d"})).ok();
    assert_eq!(glue("GetTables", json!({"DatabaseName": "d"})).message(), "Database d not found.");
}

#[test]
fn who_may() {
    let world = World::new();
    world.role("reader", &allow("glue:Get*"));
    let reader = world.root().assume("reader");
    reader.json("glue", "GetTables", json!({"DatabaseName": "default"})).ok();
    let denied = reader.json("glue", "DeleteTable", json!({"DatabaseName": "default", "Name": "t"}));
    assert_eq!(denied.code(), "AccessDeniedException");
    assert!(
        denied
            .message()
            .contains("glue:DeleteTable on resource: arn:aws:glue:us-east-1:123456789012:catalog")
    );
}
