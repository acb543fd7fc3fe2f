//! Published statements over files as AWS lays them out.

use super::testing::{World, rows};
use super::{PartitionInfo, TableInfo};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

const COLUMNS: &[(&str, &str)] = &[
    ("version", "int"),
    ("account_id", "string"),
    ("interface_id", "string"),
    ("srcaddr", "string"),
    ("dstaddr", "string"),
    ("srcport", "int"),
    ("dstport", "int"),
    ("protocol", "bigint"),
    ("packets", "bigint"),
    ("bytes", "bigint"),
    ("start", "bigint"),
    ("end", "bigint"),
    ("action", "string"),
    ("log_status", "string"),
];

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect()
}

fn put(folder: &Path, key: &str, text: &str) {
    let path = folder.join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    if !key.ends_with(".gz") {
        return fs::write(path, text).unwrap();
    }
    let mut file =
        flate2::write::GzEncoder::new(fs::File::create(path).unwrap(), flate2::Compression::fast());
    file.write_all(text.as_bytes()).unwrap();
    file.finish().unwrap();
}

const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n";

/// Two days in one account and region.
fn world(folder: &Path, projected: bool) -> World {
    let root = "logs/AWSLogs/123456789012/vpcflowlogs/us-east-1";
    put(
        folder,
        &format!("{root}/2020/05/04/a.log.gz"),
        &format!(
            "{HEADER}2 123456789012 eni-1 10.117.1.22 10.0.0.2 40000 443 6 10 1000 1588550400 1588550460 ACCEPT OK\n\
         2 123456789012 eni-1 10.117.1.23 10.0.0.2 40001 22 6 1 40 1588550400 1588550460 REJECT OK\n\
         2 123456789012 eni-2 - - - - - - - 1588550400 1588550460 - NODATA\n"
        ),
    );
    put(
        folder,
        &format!("{root}/2020/05/05/b.log.gz"),
        &format!(
            "{HEADER}2 123456789012 eni-1 10.0.0.9 10.0.0.2 40000 443 6 5 500 1588636800 1588636860 ACCEPT OK\n"
        ),
    );
    let mut parameters = vec![("skip.header.line.count", "1")];
    if projected {
        parameters.extend([
            ("projection.enabled", "true"),
            ("projection.accid.type", "enum"),
            ("projection.accid.values", "123456789012,999999999999"),
            ("projection.region.type", "enum"),
            ("projection.region.values", "us-east-1,eu-west-1"),
            ("projection.day.type", "date"),
            ("projection.day.range", "2020/05/01,NOW"),
            ("projection.day.format", "yyyy/MM/dd"),
            ("storage.location.template", "s3://logs/AWSLogs/${accid}/vpcflowlogs/${region}/${day}"),
        ]);
    }
    let parameters: BTreeMap<String, String> = pairs(&parameters).into_iter().collect();
    let keys: &[(&str, &str)] = match projected {
        true => &[("accid", "string"), ("region", "string"), ("day", "string")],
        false => &[("date", "date")],
    };
    let part = |day: &str| PartitionInfo {
        values: vec![day.to_owned()],
        location: format!("s3://{root}/{}", day.replace('-', "/")),
    };
    World {
        tables: vec![TableInfo {
            database: "default".to_owned(),
            name: "vpc_flow_logs".to_owned(),
            columns: pairs(COLUMNS),
            keys: pairs(keys),
            location: format!("s3://{root}/"),
            serde: "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe".to_owned(),
            serde_parameters: pairs(&[("field.delim", " ")]).into_iter().collect(),
            parameters,
            ..TableInfo::default()
        }],
        partitions: vec![part("2020-05-04"), part("2020-05-05")],
        folder: folder.to_owned(),
        // 2020-05-06
        now: 1_588_723_200,
        ..World::default()
    }
}

#[test]
fn published_queries() {
    let folder = tempfile::tempdir().unwrap();
    let world = Arc::new(world(folder.path(), false));
    let names = "version|account_id|interface_id|srcaddr|dstaddr|srcport|dstport|protocol|packets|bytes|start|end|action|log_status|date";
    let third =
        "2|123456789012|eni-1|10.0.0.9|10.0.0.2|40000|443|6|5|500|1588636800|1588636860|ACCEPT|OK|2020-05-05";
    for (sql, expected) in [
        ("SELECT * FROM vpc_flow_logs WHERE date = DATE('2020-05-05') LIMIT 100;", vec![names, third]),
        (
            "SELECT day_of_week(date) AS day, date, interface_id, srcaddr, action, protocol FROM vpc_flow_logs \
          WHERE action = 'REJECT' AND protocol = 6 LIMIT 100;",
            vec!["day|date|interface_id|srcaddr|action|protocol", "1|2020-05-04|eni-1|10.117.1.23|REJECT|6"],
        ),
        (
            "SELECT SUM(packets) AS packetcount, dstaddr FROM vpc_flow_logs WHERE dstport = 443 AND date > \
          date '2020-05-10' - interval '7' day GROUP BY dstaddr ORDER BY packetcount DESC LIMIT 10;",
            vec!["packetcount|dstaddr", "15|10.0.0.2"],
        ),
        (
            "SELECT log_status, interface_id, count(1) FROM vpc_flow_logs WHERE interface_id IN ('eni-1','eni-2') \
          GROUP BY log_status, interface_id ORDER BY 2",
            vec!["log_status|interface_id|_col2", "OK|eni-1|3", "NODATA|eni-2|1"],
        ),
        (
            "SELECT interface_id, srcport, packets FROM \"default\".\"vpc_flow_logs\" WHERE log_status = 'NODATA'",
            vec!["interface_id|srcport|packets", "eni-2|NULL|NULL"],
        ),
        (
            "SELECT to_iso8601(from_unixtime(start)) AS start_time, to_iso8601(from_unixtime(\"end\")) AS end_time \
          FROM vpc_flow_logs WHERE DATE >= date '2020-05-05'",
            vec!["start_time|end_time", "2020-05-05T00:00:00.000Z|2020-05-05T00:01:00.000Z"],
        ),
        (
            "SELECT srcaddr FROM vpc_flow_logs WHERE split_part(srcaddr,'.', 1)='10' AND split_part(srcaddr,'.', 2) ='117' ORDER BY 1",
            vec!["srcaddr", "10.117.1.22", "10.117.1.23"],
        ),
        (
            "WITH big AS (SELECT * FROM vpc_flow_logs WHERE bytes > 400) SELECT Action AS \"Kind\", count(*) AS n, \
          row_number() OVER (ORDER BY action) AS r FROM big GROUP BY action",
            vec!["Kind|n|r", "ACCEPT|2|1"],
        ),
        ("SELECT t.x, t.n FROM UNNEST(ARRAY['a','b']) WITH ORDINALITY AS t(x, n)", vec!["x|n", "a|1", "b|2"]),
        (
            "SELECT \"$path\", count(*) AS n, min(\"$file_size\") > 0 AS full FROM vpc_flow_logs \
             WHERE \"$path\" LIKE '%b.log.gz' GROUP BY 1",
            vec![
                "$path|n|full",
                "s3://logs/AWSLogs/123456789012/vpcflowlogs/us-east-1/2020/05/05/b.log.gz|1|true",
            ],
        ),
        (
            "SELECT * FROM vpc_flow_logs WHERE \"$path\" LIKE '%b.log.gz' AND \"$file_modified_time\" > from_unixtime(0)",
            vec![names, third],
        ),
        (
            "SELECT t.id, u.item, n FROM (VALUES (1, ARRAY['a', 'b']), (2, ARRAY['c'])) AS t(id, items) \
             CROSS JOIN UNNEST(t.items) WITH ORDINALITY AS u(item, n) ORDER BY t.id, n",
            vec!["id|item|n", "1|a|1", "1|b|2", "2|c|1"],
        ),
        (
            "SELECT id, k, v FROM (VALUES (1, MAP(ARRAY['x', 'y'], ARRAY[10, 20]))) AS t(id, m), UNNEST(m) AS u(k, v) ORDER BY k",
            vec!["id|k|v", "1|x|10", "1|y|20"],
        ),
        (
            "SELECT action, map_agg(dstport, bytes) AS m FROM vpc_flow_logs WHERE bytes < 600 GROUP BY action ORDER BY 1",
            vec!["action|m", "ACCEPT|{443=500}", "REJECT|{22=40}"],
        ),
        (
            "SELECT column_name, ordinal_position, data_type, extra_info FROM information_schema.columns \
             WHERE table_schema = 'default' AND table_name = 'vpc_flow_logs' AND ordinal_position IN (1, 2, 15) ORDER BY 2",
            vec![
                "column_name|ordinal_position|data_type|extra_info",
                "version|1|integer|NULL",
                "account_id|2|varchar|NULL",
                "date|15|date|partition key",
            ],
        ),
        (
            "SELECT t.table_name, t.table_type FROM information_schema.tables t JOIN information_schema.schemata s \
             ON t.table_schema = s.schema_name",
            vec!["table_name|table_type", "vpc_flow_logs|BASE TABLE"],
        ),
        (
            "SELECT date FROM \"vpc_flow_logs$partitions\" ORDER BY 1",
            vec!["date", "2020-05-04", "2020-05-05"],
        ),
    ] {
        assert_eq!(
            rows(world.clone(), sql).map_err(|e| e.message),
            Ok(expected.into_iter().map(str::to_owned).collect()),
            "{sql}"
        );
    }
}

#[test]
fn projection_lists_only_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let world = Arc::new(world(folder.path(), true));
    let sql = "SELECT srcaddr, day FROM vpc_flow_logs WHERE day >= '2020/05/04' AND day < '2020/05/05' \
               AND region = 'us-east-1' AND accid = '123456789012' AND srcaddr = '10.117.1.22' LIMIT 100";
    assert_eq!(rows(world.clone(), sql).unwrap(), ["srcaddr|day", "10.117.1.22|2020/05/04"]);
    let listed = world.listed.lock().unwrap().clone();
    assert_eq!(listed, ["s3://logs/AWSLogs/123456789012/vpcflowlogs/us-east-1/2020/05/04/"]);
    let outside = "SELECT count(*) FROM vpc_flow_logs WHERE day = '2019/01/01'";
    assert_eq!(rows(world.clone(), outside).unwrap(), ["_col0", "0"]);
    assert_eq!(rows(world, "SELECT count(*) AS n FROM vpc_flow_logs").unwrap(), ["n", "4"]);
}

#[test]
fn other_formats() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "b/csv/a.csv", "n,t\n1,\"a,\"\"b\"\nx,\n");
    put(folder.path(), "b/json/a.json", "{\"N\":1,\"t\":\"a\"}\n\n{\"t\":null,\"n\":2}\n");
    put(folder.path(), "b/regex/a.log", "1 [x y]\nno match\n");
    put(folder.path(), "b/tsv/a", "1\ta\textra\n\\N\n");
    put(folder.path(), "b/tsv/_SUCCESS", "9\t9\n");
    let table = |name: &str, serde: &str, parameters: &[(&str, &str)]| TableInfo {
        database: "default".to_owned(),
        name: name.to_owned(),
        columns: pairs(&[("n", "int"), ("t", "string")]),
        location: format!("s3://b/{name}/"),
        serde: serde.to_owned(),
        serde_parameters: pairs(parameters).into_iter().collect(),
        parameters: if name == "csv" {
            pairs(&[("skip.header.line.count", "1")]).into_iter().collect()
        } else {
            BTreeMap::new()
        },
        ..TableInfo::default()
    };
    let mut view = table("v", "", &[]);
    view.view = Some("SELECT n * 10 AS m FROM csv".to_owned());
    let world = Arc::new(World {
        tables: vec![
            table("csv", "org.apache.hadoop.hive.serde2.OpenCSVSerde", &[]),
            table("json", "org.openx.data.jsonserde.JsonSerDe", &[]),
            table(
                "regex",
                "org.apache.hadoop.hive.serde2.RegexSerDe",
                &[("input.regex", "(\\S+) \\[([^\\]]*)\\]")],
            ),
            table("tsv", "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe", &[("field.delim", "\t")]),
            table("orc", "org.apache.hadoop.hive.ql.io.orc.OrcSerde", &[]),
            view,
        ],
        folder: folder.path().to_owned(),
        ..World::default()
    });
    for (sql, expected) in [
        ("SELECT * FROM csv", vec!["n|t", "1|a,\"b", "NULL|"]),
        ("SELECT * FROM json", vec!["n|t", "1|a", "2|NULL"]),
        ("SELECT * FROM regex", vec!["n|t", "1|x y", "NULL|NULL"]),
        ("SELECT t, n FROM tsv", vec!["t|n", "a|1", "NULL|NULL"]),
        ("SELECT m FROM v WHERE m > 1", vec!["m", "10"]),
        ("SELECT count(*) FROM csv", vec!["_col0", "2"]),
    ] {
        assert_eq!(
            rows(world.clone(), sql).map_err(|e| e.message),
            Ok(expected.into_iter().map(str::to_owned).collect()),
            "{sql}"
        );
    }
    let refused = rows(world, "SELECT * FROM orc").unwrap_err();
    assert_eq!(refused.message, "NOT_SUPPORTED: The SerDe OrcSerde is not supported");
}

#[test]
fn parameters_are_put_in_their_places() {
    let put = |sql: &str, list: &[&str]| {
        let list: Vec<String> = list.iter().map(|text| (*text).to_owned()).collect();
        super::with_parameters(sql, &list).map_err(|error| error.message)
    };
    assert_eq!(put("SELECT ? , '?' -- ?", &["'a'"]), Ok("SELECT 'a' , '?' -- ?".to_owned()));
    assert_eq!(put("SELECT 'it''s', ?", &["1"]), Ok("SELECT 'it''s', 1".to_owned()));
    assert!(put("SELECT ?", &["1", "2"]).is_err());
    assert!(put("SELECT ?, ?", &["1"]).is_err());
}

/// Both readers of blank-separated text give the same rows.
mod columnar {
    use super::*;
    use crate::athena::arrow_type;
    use crate::athena::columnar::Columnar;
    use crate::athena::rows::{Reading, SerdeFormat};
    use datafusion::arrow::array::{BooleanArray, RecordBatch};
    use datafusion::arrow::compute::concat_batches;
    use datafusion::arrow::compute::filter_record_batch;
    use datafusion::arrow::datatypes::{Field, Schema};
    use datafusion::prelude::{col, lit};
    use proptest::prelude::*;

    fn table() -> TableInfo {
        TableInfo {
            columns: pairs(COLUMNS),
            serde: "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe".to_owned(),
            serde_parameters: pairs(&[("field.delim", " ")]).into_iter().collect(),
            ..TableInfo::default()
        }
    }

    fn read(path: &Path, projection: &[usize], skip: usize, columnar: Option<Columnar>) -> RecordBatch {
        let info = table();
        let fields = projection.iter().map(|place| {
            let (name, kind) = &info.columns[*place];
            Field::new(name, arrow_type(kind).unwrap(), true)
        });
        let reading = Reading {
            format: SerdeFormat::of(&info).unwrap(),
            skip_lines: skip,
            columnar,
            names: info.columns.iter().map(|(name, _)| name.clone()).collect(),
            projection: projection.to_vec(),
            schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
            bytes: Arc::default(),
            rows: Arc::default(),
        };
        let mut batches = Vec::new();
        let mut send = |batch| {
            batches.push(batch);
            true
        };
        reading.text(path, &[], &mut send).unwrap();
        concat_batches(&reading.schema, &batches).unwrap()
    }

    fn value(place: usize) -> BoxedStrategy<String> {
        let plain: BoxedStrategy<String> = match COLUMNS[place] {
            ("account_id", _) => "[0-9]{12}".boxed(),
            ("srcaddr" | "dstaddr", _) => prop_oneof!["10\\.0\\.0\\.[1-9]", "2001:db8::[1-9a-f]"].boxed(),
            ("action", _) => prop_oneof![Just("ACCEPT".to_owned()), Just("REJECT".to_owned())].boxed(),
            ("log_status", _) => prop_oneof![Just("OK".to_owned()), Just("NODATA".to_owned())].boxed(),
            (_, "string") => "eni-[0-9a-f]{1,8}".boxed(),
            _ => "[1-9][0-9]{0,4}".boxed(),
        };
        prop_oneof![60 => plain, 6 => Just("-".to_owned())].boxed()
    }

    fn line() -> BoxedStrategy<String> {
        let values: Vec<_> = (0..COLUMNS.len()).map(value).collect();
        let plain = values.prop_map(|values| values.join(" ")).boxed();
        let odd = prop_oneof![
            Just(String::new()),
            Just(HEADER.trim_end().to_owned()),
            Just("2 123456789012".to_owned()),
            Just("a\tb c".to_owned()),
            Just("2  x".to_owned()),
            (plain.clone(), "[ -~]{1,9}").prop_map(|(line, more)| format!("{line} {more}")),
            (
                plain.clone(),
                0..COLUMNS.len(),
                prop_oneof![
                    Just("\\N"),
                    Just("99999999999999999999"),
                    Just("x"),
                    Just("-5"),
                    Just("\u{e9}"),
                    Just("1\r"),
                ]
            )
                .prop_map(|(line, at, odd)| {
                    let mut values: Vec<&str> = line.split(' ').collect();
                    values[at] = odd;
                    values.join(" ")
                }),
        ];
        prop_oneof![40 => plain, 1 => odd].boxed()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn both_readers_agree(
            lines in prop::collection::vec(line(), 0..12),
            projection in prop::collection::vec(0..COLUMNS.len(), 0..6),
            skip in 0..2_usize,
            ends in any::<bool>(),
            filtered in 0..3_usize,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.log");
            let mut text = lines.join("\n");
            if ends && !text.is_empty() {
                text.push('\n');
            }
            fs::write(&path, text).unwrap();
            let mut projection = projection;
            let filters = match filtered {
                0 => vec![],
                1 => vec![col("action").eq(lit("REJECT"))],
                _ => vec![col("dstport").eq(lit(22)).or(col("dstport").eq(lit(443)))],
            };
            // The filter's column is there to look at again.
            projection.insert(0, if filtered == 1 { 12 } else { 6 });
            let mut seen = std::collections::BTreeSet::new();
            projection.retain(|place| seen.insert(*place));
            let info = table();
            let format = SerdeFormat::of(&info).unwrap();
            let fast = Columnar::of(&info, &format).unwrap().only(&info, &filters);
            let keep = |batch: RecordBatch| {
                let wanted: BooleanArray = (0..batch.num_rows())
                    .map(|row| {
                        let value = super::super::text(batch.column(0), row);
                        Some(match filtered {
                            0 => true,
                            1 => value.as_deref() == Some("REJECT"),
                            _ => matches!(value.as_deref(), Some("22" | "443")),
                        })
                    })
                    .collect();
                filter_record_batch(&batch, &wanted).unwrap()
            };
            let expected = keep(read(&path, &projection, skip, None));
            prop_assert_eq!(keep(read(&path, &projection, skip, Some(fast))), expected);
        }
    }

    #[test]
    fn other_tables_have_the_other_reader() {
        let is_columnar = |change: &dyn Fn(&mut TableInfo)| {
            let mut info = table();
            change(&mut info);
            Columnar::of(&info, &SerdeFormat::of(&info).unwrap()).is_some()
        };
        assert!(is_columnar(&|_| {}));
        assert!(is_columnar(&|info| info.columns[3].0 = "sourceaddress".to_owned()));
        for (what, change) in [
            (
                "a tab",
                (&|info: &mut TableInfo| {
                    drop(info.serde_parameters.insert("field.delim".into(), "\t".into()))
                }) as &dyn Fn(&mut TableInfo),
            ),
            ("a name", &|info| info.columns[3].0 = "weather".to_owned()),
            ("a type", &|info| info.columns[9].1 = "string".to_owned()),
            ("twice", &|info| info.columns[3].0 = "dstaddr".to_owned()),
            ("a null", &|info| {
                drop(info.serde_parameters.insert("serialization.null.format".into(), "-".into()))
            }),
            ("json", &|info| info.serde = "org.openx.data.jsonserde.JsonSerDe".to_owned()),
        ] {
            assert!(!is_columnar(change), "{what}");
        }
    }
}
