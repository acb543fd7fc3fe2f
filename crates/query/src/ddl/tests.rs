use super::*;

const COLUMNS: &str = "version int, account_id string, interface_id string, srcaddr string, dstaddr string, \
  srcport int, dstport int, protocol bigint, packets bigint, bytes bigint, start bigint, `end` bigint, \
  action string, log_status string, vpc_id string, subnet_id string, instance_id string, \
  tcp_flags int, type string, pkt_srcaddr string, pkt_dstaddr string, region string, az_id string, \
  sublocation_type string, sublocation_id string, pkt_src_aws_service string, pkt_dst_aws_service string, \
  flow_direction string, traffic_path int";

fn table(sql: &str) -> CreateTable {
    match parse(sql) {
        Ok(Statement::CreateTable(table)) => *table,
        other => panic!("{other:?}"),
    }
}

/// Those of AWS's pages about flow logs.
#[test]
fn published_tables() {
    let text = table(&format!(
        "CREATE EXTERNAL TABLE IF NOT EXISTS `vpc_flow_logs` ({COLUMNS})
         PARTITIONED BY (`date` date)
         ROW FORMAT DELIMITED
         FIELDS TERMINATED BY ' '
         LOCATION 's3://amzn-s3-demo-bucket/prefix/AWSLogs/111122223333/vpcflowlogs/us-east-1/'
         TBLPROPERTIES (\"skip.header.line.count\"=\"1\");"
    ));
    assert!(text.external && text.if_not_exists);
    assert_eq!(text.columns.len(), 29);
    assert_eq!((text.columns[11].name.as_str(), text.columns[11].data_type.as_str()), ("end", "bigint"));
    assert_eq!((text.partitions[0].name.as_str(), text.partitions[0].data_type.as_str()), ("date", "date"));
    assert_eq!(text.properties["skip.header.line.count"], "1");
    assert!(matches!(&text.row_format, Some(RowFormat::Delimited { fields: Some(f), .. }) if f == " "));

    let parquet = table(&format!(
        "CREATE EXTERNAL TABLE IF NOT EXISTS vpc_flow_logs_parquet ({COLUMNS})
         PARTITIONED BY (`aws-account-id` string, `aws-service` string, `aws-region` string,
           `year` string, `month` string, `day` string, `hour` string)
         ROW FORMAT SERDE 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'
         STORED AS
           INPUTFORMAT 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat'
           OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat'
         LOCATION 's3://amzn-s3-demo-bucket/prefix/AWSLogs/'
         TBLPROPERTIES ('EXTERNAL'='true', 'skip.header.line.count'='1')"
    ));
    assert_eq!(parquet.partitions.len(), 7);
    assert_eq!(parquet.partitions[0].name, "aws-account-id");
    assert!(
        matches!(&parquet.stored_as, Some(StoredAs::Classes { input, .. }) if input.ends_with("MapredParquetInputFormat"))
    );

    let projected = table(
        r#"CREATE EXTERNAL TABLE IF NOT EXISTS test_table_vpclogs (version int, start bigint, `end` bigint)
        PARTITIONED BY (accid string, region string, day string)
        ROW FORMAT DELIMITED FIELDS TERMINATED BY ' '
        LOCATION '$LOCATION_OF_LOGS'
        TBLPROPERTIES (
        "skip.header.line.count"="1",
        "projection.enabled" = "true",
        "projection.accid.type" = "enum",
        "projection.accid.values" = "$ACCID_1,$ACCID_2",
        "projection.day.range" = "$START_RANGE,NOW",
        "storage.location.template" = "s3://amzn-s3-demo-bucket/AWSLogs/${accid}/vpcflowlogs/${region}/${day}")"#,
    );
    assert_eq!(projected.properties.len(), 6);
    assert!(projected.properties["storage.location.template"].ends_with("${day}"));

    let hourly = table(
        "CREATE EXTERNAL TABLE vpc_flow_logs_parquet_partition_projection (version int)
         PARTITIONED BY (region string, date string, hour string)
         ROW FORMAT SERDE 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'
         STORED AS INPUTFORMAT 'a' OUTPUTFORMAT 'b'
         LOCATION 's3://b/' TBLPROPERTIES ('EXTERNAL'='true')",
    );
    assert_eq!(hourly.partitions[1].name, "date");
}

#[test]
fn types_and_row_formats() {
    let found = table(
        "create external table d.t (a ARRAY < struct<x : INT, `y-z`: map<string, decimal(10, 2)>> > comment 'it''s',
         b varchar(3), c integer) comment 'what' partitioned by (p int)
         row format serde 'org.apache.hadoop.hive.serde2.RegexSerDe'
         with serdeproperties ('input.regex' = '^(\\S+) \"([^\"]*)\"$') stored as textfile location 's3://b/p'",
    );
    assert_eq!(found.name, TableName { database: Some("d".into()), name: "t".into() });
    let types: Vec<&str> = found.columns.iter().map(|column| column.data_type.as_str()).collect();
    assert_eq!(types, ["array<struct<x:int,y-z:map<string,decimal(10,2)>>>", "varchar(3)", "int"]);
    assert_eq!(found.columns[0].comment.as_deref(), Some("it's"));
    let Some(RowFormat::Serde { properties, .. }) = found.row_format else { panic!() };
    assert_eq!(properties["input.regex"], "^(\\S+) \"([^\"]*)\"$");
    let found = table(
        "CREATE EXTERNAL TABLE t (a string) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\'
         LINES TERMINATED BY '\\n' NULL DEFINED AS '-' LOCATION 's3://b/'",
    );
    let Some(RowFormat::Delimited { fields, escaped, lines, null, .. }) = found.row_format else { panic!() };
    let texts = [fields, escaped, lines, null].map(Option::unwrap_or_default);
    assert_eq!(texts, ["\t", "\\", "\n", "-"]);
}

#[test]
fn statements() {
    let name = |name: &str| TableName { database: None, name: name.into() };
    let values = |list: &[(&str, &str)]| -> PartitionValues {
        list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    for (sql, expected) in [
        (
            "ALTER TABLE vpc_flow_logs ADD PARTITION (`date`='2020-05-04') LOCATION 's3://b/2020/05/04';",
            Statement::AddPartitions {
                table: name("vpc_flow_logs"),
                if_not_exists: false,
                partitions: vec![(values(&[("date", "2020-05-04")]), Some("s3://b/2020/05/04".into()))],
            },
        ),
        (
            "ALTER TABLE t ADD IF NOT EXISTS PARTITION (a='1', b=2) LOCATION 'x' PARTITION (a='3', b='4')",
            Statement::AddPartitions {
                table: name("t"),
                if_not_exists: true,
                partitions: vec![
                    (values(&[("a", "1"), ("b", "2")]), Some("x".into())),
                    (values(&[("a", "3"), ("b", "4")]), None),
                ],
            },
        ),
        (
            "ALTER TABLE t DROP IF EXISTS PARTITION (d = DATE '2020-01-01'), PARTITION (d='x')",
            Statement::DropPartitions {
                table: name("t"),
                if_exists: true,
                partitions: vec![values(&[("d", "2020-01-01")]), values(&[("d", "x")])],
            },
        ),
        (
            "ALTER TABLE t PARTITION (d='1') RENAME TO PARTITION (d='2')",
            Statement::RenamePartition {
                table: name("t"),
                from: values(&[("d", "1")]),
                to: values(&[("d", "2")]),
            },
        ),
        (
            "alter table t partition (d='1') set location 's3://b/'",
            Statement::SetLocation {
                table: name("t"),
                partition: Some(values(&[("d", "1")])),
                location: "s3://b/".into(),
            },
        ),
        ("MSCK REPAIR TABLE t;", Statement::MsckRepair { table: name("t") }),
        ("show databases like 'a*'", Statement::ShowDatabases { like: Some("a*".into()) }),
        (
            "SHOW TABLES IN d 'x|y'",
            Statement::ShowTables { database: Some("d".into()), like: Some("x|y".into()) },
        ),
        ("SHOW CREATE TABLE t", Statement::ShowCreateTable { table: name("t") }),
        (
            "SHOW COLUMNS FROM t IN d",
            Statement::ShowColumns { table: TableName { database: Some("d".into()), name: "t".into() } },
        ),
        (
            "SHOW TBLPROPERTIES t('k')",
            Statement::ShowTableProperties { table: name("t"), key: Some("k".into()) },
        ),
        ("DESCRIBE FORMATTED `t`", Statement::Describe { table: name("t"), formatted: true }),
        ("DESC formatted", Statement::Describe { table: name("formatted"), formatted: false }),
        ("DROP TABLE IF EXISTS t -- no more", Statement::DropTable { name: name("t"), if_exists: true }),
        (
            "ALTER DATABASE d SET DBPROPERTIES ('a'='b')",
            Statement::SetDatabaseProperties {
                name: "d".into(),
                properties: [("a".to_owned(), "b".to_owned())].into(),
            },
        ),
        (
            "DROP DATABASE d CASCADE",
            Statement::DropDatabase { name: "d".into(), if_exists: false, cascade: true },
        ),
        (
            "CREATE OR REPLACE VIEW v AS SELECT ';' FROM t;",
            Statement::CreateView { name: name("v"), or_replace: true, query: "SELECT ';' FROM t".into() },
        ),
        (
            "INSERT INTO t (a, b) SELECT 1, 2",
            Statement::Insert {
                table: name("t"),
                columns: vec!["a".into(), "b".into()],
                query: "SELECT 1, 2".into(),
            },
        ),
        (
            "INSERT INTO t VALUES (1)",
            Statement::Insert { table: name("t"), columns: vec![], query: "VALUES (1)".into() },
        ),
        ("EXPLAIN (FORMAT TEXT) SELECT 1", Statement::Explain { analyze: false, query: "SELECT 1".into() }),
        ("PREPARE p FROM SELECT ?", Statement::Prepare { name: "p".into(), query: "SELECT ?".into() }),
        (
            "EXECUTE p USING 'a,b', f(1, 2), 3",
            Statement::Execute {
                name: "p".into(),
                parameters: vec!["'a,b'".into(), "f(1, 2)".into(), "3".into()],
            },
        ),
        ("DEALLOCATE PREPARE p", Statement::Deallocate { name: "p".into() }),
        (
            "/* a */ with x as (select 1) select * from x ;",
            Statement::Query("with x as (select 1) select * from x".into()),
        ),
    ] {
        assert_eq!(parse(sql), Ok(expected), "{sql}");
    }
    let sql = "CREATE TABLE n WITH (format='PARQUET', partitioned_by = ARRAY['a', 'b'], bucket_count=3) \
               AS SELECT 1 WITH NO DATA;";
    let Ok(Statement::CreateTableAs { properties, query, with_data, .. }) = parse(sql) else { panic!() };
    assert_eq!((query.as_str(), with_data), ("SELECT 1", false));
    assert_eq!(properties["partitioned_by"], PropertyValue::List(vec!["a".into(), "b".into()]));
    assert_eq!(properties["bucket_count"], PropertyValue::Number(3));
    let sql = "UNLOAD (SELECT (1) FROM t) TO 's3://b/u/' WITH (format = 'JSON')";
    let Ok(Statement::Unload { query, to, .. }) = parse(sql) else { panic!() };
    assert_eq!((query.as_str(), to.as_str()), ("SELECT (1) FROM t", "s3://b/u/"));
    let sql = "CREATE SCHEMA IF NOT EXISTS d COMMENT 'c' LOCATION 's3://b/' WITH DBPROPERTIES ('a'='b')";
    assert_eq!(parse(sql).unwrap().kind().1, "CREATE_DATABASE");
}

#[test]
fn what_is_none() {
    for (sql, expected) in [
        ("SELEC 1", "line 1:1: mismatched input 'SELEC'. Expecting: '('"),
        ("", "line 1:1: mismatched input '<EOF>'"),
        ("CREATE EXTERNAL TABLE t (a strin)", "line 1:28: mismatched input 'strin'. Expecting: type"),
        ("CREATE EXTERNAL TABLE t\n (a int,)", "line 2:9: mismatched input ')'. Expecting: identifier"),
        ("DROP TABLE t u", "line 1:14: mismatched input 'u'. Expecting: <EOF>"),
        ("SELECT 1; SELECT 2", "line 1:9: mismatched input ';'. Expecting: <EOF>"),
        ("SHOW TABLES 'a", "line 1:13: mismatched input '''. Expecting: '"),
        ("ALTER TABLE t ADD PARTITION (a>'1')", "line 1:31: mismatched input '>'. Expecting: '='"),
        ("CREATE TABLE t AS", "line 1:18: mismatched input '<EOF>'. Expecting: query"),
    ] {
        let error = parse(sql).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{sql}: {error}");
    }
    let deep = format!("CREATE EXTERNAL TABLE t (a {}int)", "array<".repeat(100));
    assert!(parse(&deep).is_err());
}
