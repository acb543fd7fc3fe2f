use super::engine::{Job, QueryEngine};
use crate::testing::{Client, World, allow};
use serde_json::{Value, json};
use std::sync::{Arc, Weak};
use weir_control::Cx;
use weir_control::athena::execution::{self, Outcome, ResultColumn};

/// Answers every query with one file, at once.
struct OneFile {
    services: Weak<crate::Services>,
}

const FILE: &str = "\"n\"\n\"1\"\n\n\"3\"\n";

impl QueryEngine for OneFile {
    fn check(&self, sql: &str) -> Result<(&'static str, &'static str), String> {
        match sql.starts_with("SELECT") {
            true => Ok(("DML", "SELECT")),
            false => Err("line 1:1: mismatched input".to_owned()),
        }
    }

    fn start(&self, job: Job) {
        if job.execution.query.contains("slow") {
            return;
        }
        let services = self.services.upgrade().unwrap();
        let call = job.caller.call(&services);
        let store = services.objects.get().unwrap().store();
        let (bucket, key) = super::engine::bucket_and_key(&job.execution.output_location).unwrap();
        let name = weir_objects::Store::new_name().unwrap();
        std::fs::write(store.new_file(&name).unwrap(), FILE).unwrap();
        let written = weir_objects::store::Written { name, size: FILE.len() as u64, etag: String::new() };
        store.put_object(bucket, key, &written, &Default::default(), &Default::default(), 0).unwrap();
        let column =
            ResultColumn { name: "n".to_owned(), data_type: "integer".to_owned(), precision: 10, scale: 0 };
        let outcome = Outcome { columns: vec![column], update_count: Some(0), ..Outcome::default() };
        let finish = |cx: Cx<'_>| {
            execution::run(cx, &job.execution.id)?;
            execution::finish(cx, &job.execution.id, Ok(&outcome))
        };
        call.transact(finish).unwrap();
    }

    fn cancel(&self, _: &str) {}
}

fn world() -> (World, tempfile::TempDir) {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let store = weir_objects::Store::open(folder.path()).unwrap();
    let bucket = weir_objects::store::Bucket {
        name: "results".to_owned(),
        account: crate::testing::ACCOUNT.to_owned(),
        region: "us-east-1".to_owned(),
        created_ms: 0,
        policy: None,
        tags: None,
    };
    store.create_bucket(&bucket).unwrap();
    crate::objects::serve(&world.services, Arc::new(store));
    let engine = OneFile { services: Arc::downgrade(&world.services) };
    assert!(world.services.queries.set(Arc::new(engine)).is_ok());
    (world, folder)
}

fn start(client: &Client<'_>, sql: &str) -> String {
    let members = json!({"QueryString": sql, "ResultConfiguration": {"OutputLocation": "s3://results/a"}});
    client.json("athena", "StartQueryExecution", members).ok().json()["QueryExecutionId"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_query_from_start_to_rows() {
    let (world, _folder) = world();
    let root = world.root();
    let id = start(&root, "SELECT n");
    let told = root.json("athena", "GetQueryExecution", json!({ "QueryExecutionId": id })).ok().json();
    let told = &told["QueryExecution"];
    assert_eq!(told["Status"]["State"], "SUCCEEDED");
    assert_eq!(told["ResultConfiguration"]["OutputLocation"], format!("s3://results/a/{id}.csv"));
    assert_eq!(told["WorkGroup"], "primary");
    let page = |token: Option<&Value>| {
        let mut members = json!({ "QueryExecutionId": id, "MaxResults": 3 });
        if let Some(token) = token {
            members["NextToken"] = token.clone();
        }
        root.json("athena", "GetQueryResults", members).ok().json()
    };
    let first = page(None);
    let rows = |page: &Value| -> Vec<String> {
        let rows = page["ResultSet"]["Rows"].as_array().unwrap();
        rows.iter().map(|row| row["Data"][0]["VarCharValue"].as_str().unwrap_or("NULL").to_owned()).collect()
    };
    assert_eq!(rows(&first), ["n", "1", "NULL"]);
    assert_eq!(first["ResultSet"]["ResultSetMetadata"]["ColumnInfo"][0]["Type"], "integer");
    assert_eq!(first["UpdateCount"], 0);
    let second = page(Some(&first["NextToken"]));
    assert_eq!(rows(&second), ["3"]);
    assert_eq!(second["NextToken"], Value::Null);
    assert_eq!(
        root.json("athena", "StopQueryExecution", json!({ "QueryExecutionId": id })).ok().json(),
        json!({})
    );
    let listed = root.json("athena", "ListQueryExecutions", json!({})).ok().json();
    assert_eq!(listed["QueryExecutionIds"], json!([id]));

    let slow = start(&root, "SELECT slow");
    let early = root.json("athena", "GetQueryResults", json!({ "QueryExecutionId": slow }));
    assert_eq!(early.json()["AthenaErrorCode"], "INVALID_QUERY_EXECUTION_STATE");
    assert_eq!(early.message(), "Query has not yet finished. Current state: QUEUED");
    root.json("athena", "StopQueryExecution", json!({ "QueryExecutionId": slow })).ok();
    let late = root.json("athena", "GetQueryResults", json!({ "QueryExecutionId": slow }));
    assert_eq!(late.message(), "Query did not finish successfully. Final query state: CANCELLED");
}

#[test]
fn what_is_refused_at_once() {
    let (world, _folder) = world();
    let root = world.root();
    for (members, code, message) in [
        (
            json!({"QueryString": "SELECT 1"}),
            "INVALID_INPUT",
            "No output location provided. An output location is \
          required either through the Workgroup result configuration setting or as an API input.",
        ),
        (
            json!({"QueryString": "SELEC", "ResultConfiguration": {"OutputLocation": "results"}}),
            "INVALID_INPUT",
            "outputLocation is not a valid S3 path.",
        ),
        (
            json!({"QueryString": "SELEC", "ResultConfiguration": {"OutputLocation": "s3://results/"}}),
            "MALFORMED_QUERY",
            "line 1:1: mismatched input",
        ),
        (
            json!({"QueryString": "SELECT 1", "ClientRequestToken": "short"}),
            "INVALID_INPUT",
            "clientRequestToken length must be between 32 and 128",
        ),
        (
            json!({"QueryString": "SELECT 1", "WorkGroup": "none"}),
            "INVALID_INPUT",
            "WorkGroup none is not found.",
        ),
        (json!({}), "INVALID_INPUT", "queryString is null or empty"),
    ] {
        let reply = root.json("athena", "StartQueryExecution", members);
        assert_eq!(reply.code(), "InvalidRequestException");
        assert_eq!((reply.json()["AthenaErrorCode"].as_str(), &*reply.message()), (Some(code), message));
    }
}

#[test]
fn who_may() {
    let (world, _folder) = world();
    let id = start(&world.root(), "SELECT n");
    world.role("reader", &allow("athena:GetQuery*"));
    let reader = world.root().assume("reader");
    reader.json("athena", "GetQueryExecution", json!({ "QueryExecutionId": id })).ok();
    let denied = reader.json("athena", "StopQueryExecution", json!({ "QueryExecutionId": id }));
    assert_eq!(denied.code(), "AccessDeniedException");
    assert!(
        denied.message().ends_with(
            "is not authorized to perform: athena:StopQueryExecution on resource: \
         arn:aws:athena:us-east-1:123456789012:workgroup/primary because no identity-based policy allows the \
         athena:StopQueryExecution action"
        ),
        "{}",
        denied.message()
    );
    // The result is an object, which takes the permission of S3.
    let denied = reader.json("athena", "GetQueryResults", json!({ "QueryExecutionId": id }));
    assert!(denied.message().starts_with("Access denied when reading from location: s3://results/a/"));
}

#[test]
fn workgroups_queries_and_tags() {
    let (world, _folder) = world();
    let root = world.root();
    let athena = |action: &str, members: Value| root.json("athena", action, members);
    let configuration = json!({"ResultConfiguration": {"OutputLocation": "s3://results/"}});
    let tags = json!([{"Key": "team", "Value": "net"}]);
    athena("CreateWorkGroup", json!({"Name": "g", "Configuration": configuration, "Tags": tags})).ok();
    let group = athena("GetWorkGroup", json!({"WorkGroup": "g"})).ok().json();
    assert_eq!(
        group["WorkGroup"]["Configuration"],
        json!({
            "ResultConfiguration": {"OutputLocation": "s3://results/"},
            "EnforceWorkGroupConfiguration": true,
            "PublishCloudWatchMetricsEnabled": false,
            "RequesterPaysEnabled": false,
            "EnableMinimumEncryptionConfiguration": false,
            "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"},
        })
    );
    let updates = json!({"ResultConfigurationUpdates": {"RemoveOutputLocation": true}, "BytesScannedCutoffPerQuery": 10_000_000});
    athena(
        "UpdateWorkGroup",
        json!({"WorkGroup": "g", "ConfigurationUpdates": updates, "State": "DISABLED"}),
    )
    .ok();
    let group = athena("GetWorkGroup", json!({"WorkGroup": "g"})).ok().json();
    assert_eq!(group["WorkGroup"]["State"], "DISABLED");
    assert_eq!(group["WorkGroup"]["Configuration"]["ResultConfiguration"], json!({}));
    let arn = "arn:aws:athena:us-east-1:123456789012:workgroup/g";
    assert_eq!(athena("ListTagsForResource", json!({"ResourceARN": arn})).ok().json()["Tags"], tags);
    athena("UntagResource", json!({"ResourceARN": arn, "TagKeys": ["team"]})).ok();
    assert_eq!(athena("ListTagsForResource", json!({"ResourceARN": arn})).ok().json()["Tags"], json!([]));
    assert_eq!(
        athena("ListTagsForResource", json!({"ResourceARN": "x"})).message(),
        "Athena Resource, x Does Not Exist"
    );

    let query = json!({"Name": "q", "Database": "d", "QueryString": "SELECT 1", "WorkGroup": "g"});
    let id = athena("CreateNamedQuery", query).ok().json()["NamedQueryId"].clone();
    let found = athena("BatchGetNamedQuery", json!({"NamedQueryIds": [id, "none"]})).ok().json();
    assert_eq!(found["NamedQueries"][0]["QueryString"], "SELECT 1");
    assert_eq!(found["UnprocessedNamedQueryIds"][0]["NamedQueryId"], "none");
    let statement = json!({"StatementName": "p", "WorkGroup": "g", "QueryStatement": "SELECT ?"});
    athena("CreatePreparedStatement", statement).ok();
    let missing = athena("GetPreparedStatement", json!({"StatementName": "x", "WorkGroup": "g"}));
    assert_eq!(missing.code(), "ResourceNotFoundException");
    assert_eq!(athena("DeleteWorkGroup", json!({"WorkGroup": "g"})).message(), "WorkGroup g is not empty");
    athena("DeleteWorkGroup", json!({"WorkGroup": "g", "RecursiveDeleteOption": true})).ok();
    assert_eq!(athena("GetWorkGroup", json!({"WorkGroup": "g"})).message(), "WorkGroup g is not found.");
    let catalogs = athena("ListDataCatalogs", json!({})).ok().json();
    assert_eq!(catalogs["DataCatalogsSummary"], json!([{"CatalogName": "AwsDataCatalog", "Type": "GLUE"}]));
}

#[test]
fn metadata() {
    let (world, _folder) = world();
    let root = world.root();
    let input = json!({
        "Name": "T", "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": "day", "Type": "string"}],
        "StorageDescriptor": {"Columns": [{"Name": "a", "Type": "int"}], "Location": "s3://b/"},
    });
    root.json("glue", "CreateTable", json!({"DatabaseName": "default", "TableInput": input})).ok();
    let asked = json!({"CatalogName": "AwsDataCatalog", "DatabaseName": "default", "TableName": "t"});
    let told = root.json("athena", "GetTableMetadata", asked).ok().json()["TableMetadata"].clone();
    assert_eq!((&told["Name"], &told["PartitionKeys"][0]["Name"]), (&json!("t"), &json!("day")));
    assert_eq!(told["Parameters"]["location"], "s3://b/");
    let asked = json!({"CatalogName": "AwsDataCatalog", "DatabaseName": "default", "Expression": "t.*"});
    let told = root.json("athena", "ListTableMetadata", asked).ok().json();
    assert_eq!(told["TableMetadataList"].as_array().unwrap().len(), 1);
    let none =
        root.json("athena", "GetDatabase", json!({"CatalogName": "AwsDataCatalog", "DatabaseName": "none"}));
    assert_eq!((none.code().as_str(), &*none.message()), ("MetadataException", "Database none not found."));
    let listed = root.json("athena", "ListDatabases", json!({"CatalogName": "AwsDataCatalog"})).ok().json();
    assert_eq!(listed["DatabaseList"][0]["Name"], "default");
}
