//! Tables over folders: wrappings, layouts, pruning, formats, damage.

mod common;

use common::{Wrapping, query, try_query, write};
use std::path::Path;

const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";

fn lines(second: i64, source: &str) -> String {
    format!(
        "{HEADER}\n\
         2 123456789012 eni-1 {source} 10.0.0.9 40000 443 6 10 840 {second} {end} ACCEPT OK\n\
         2 123456789012 eni-1 {source} 10.0.0.9 40001 22 6 1 40 {second} {end} REJECT OK\n\
         2 123456789012 eni-1 - - - - - - - {second} {end} - NODATA\n",
        end = second + 60
    )
}

/// Two accounts, two regions, three days; all wrappings.
fn folder(root: &Path) {
    for (path, wrapping, second, source) in [
        (
            "AWSLogs/111111111111/vpcflowlogs/us-east-1/2024/05/01/111111111111_vpcflowlogs_us-east-1_fl-1_20240501T0000Z_aaaaaaaa.log.gz",
            Wrapping::Gzip,
            1_714_521_600,
            "10.1.0.1",
        ),
        (
            "AWSLogs/111111111111/vpcflowlogs/us-east-1/2024/05/02/111111111111_vpcflowlogs_us-east-1_fl-1_20240502T1300Z_aaaaaaaa.log.gz",
            Wrapping::Gzip,
            1_714_654_800,
            "10.1.0.2",
        ),
        (
            "AWSLogs/222222222222/vpcflowlogs/eu-west-1/2024/05/02/14/222222222222_vpcflowlogs_eu-west-1_fl-2_20240502T1400Z_aaaaaaaa.log.parquet",
            Wrapping::Parquet,
            1_714_658_400,
            "10.2.0.3",
        ),
        (
            "AWSLogs/aws-account-id=222222222222/aws-service=vpcflowlogs/aws-region=eu-west-1/year=2024/month=05/day=03/hour=15/222222222222_vpcflowlogs_eu-west-1_fl-2_20240503T1500Z_aaaaaaaa.log.parquet",
            Wrapping::Parquet,
            1_714_748_400,
            "10.2.0.4",
        ),
        (
            "AWSLogs/111111111111/vpcflowlogs/us-east-1/2024/05/03/plain.log",
            Wrapping::Plain,
            1_714_737_600,
            "10.1.0.5",
        ),
    ] {
        write(&root.join(path), wrapping, &lines(second, source));
    }
}

#[test]
fn partitions_and_times_are_pruned_before_files_are_opened() {
    let root = tempfile::tempdir().unwrap();
    folder(root.path());
    for (condition, sources, opened) in [
        ("true", "10.1.0.1 10.1.0.2 10.1.0.5 10.2.0.3 10.2.0.4", 5),
        ("date = DATE '2024-05-02'", "10.1.0.2 10.2.0.3", 2),
        ("date = '2024-05-02'", "10.1.0.2 10.2.0.3", 2),
        ("date > DATE '2024-05-01' AND date < DATE '2024-05-03'", "10.1.0.2 10.2.0.3", 2),
        ("year = 2024 AND month = 5 AND day IN (1, 3)", "10.1.0.1 10.1.0.5 10.2.0.4", 3),
        ("hour = 14", "10.2.0.3", 1),
        ("hour BETWEEN 13 AND 14", "10.1.0.2 10.2.0.3", 2),
        ("aws_account_id = '222222222222'", "10.2.0.3 10.2.0.4", 2),
        ("region = 'us-east-1'", "10.1.0.1 10.1.0.2 10.1.0.5", 3),
        ("aws_region LIKE 'eu-%'", "10.2.0.3 10.2.0.4", 2),
        ("region = 'us-east-1' OR date = DATE '2024-05-03'", "10.1.0.1 10.1.0.2 10.1.0.5 10.2.0.4", 4),
        ("date_trunc('month', date) = DATE '2023-05-01'", "", 0),
        // By the time in the name: the plain file has none, and is opened.
        ("start >= 1714737600", "10.1.0.5 10.2.0.4", 2),
        ("start < 1714521601", "10.1.0.1", 2),
        ("start BETWEEN 1714654000 AND 1714655000", "10.1.0.2", 3),
        ("\"end\" = 1714654860", "10.1.0.2", 3),
        // The record's account is not the flow log's owner: nothing is pruned.
        ("account_id = '222222222222'", "", 5),
        ("srcaddr = '10.1.0.5'", "10.1.0.5", 5),
    ] {
        let sql = format!(
            "SELECT DISTINCT srcaddr FROM flow_logs WHERE srcaddr IS NOT NULL AND ({condition}) ORDER BY 1"
        );
        let (rows, tally) = query(root.path(), &sql);
        assert_eq!(rows.join(" "), sources, "{condition}");
        let mut names = tally.opened();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), opened, "{condition}: {names:?}");
        let (all, pruned) = tally.objects();
        assert_eq!((all, pruned as usize), (5, 5 - opened), "{condition}");
    }
}

#[test]
fn columns_of_the_place_are_there() {
    let root = tempfile::tempdir().unwrap();
    folder(root.path());
    let sql = "SELECT aws_account_id, aws_region, region, date, year, month, day, hour, count(*) FROM flow_logs \
               GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 4, 1";
    let (rows, _) = query(root.path(), sql);
    assert_eq!(
        rows,
        [
            "111111111111 us-east-1 us-east-1 2024-05-01 2024 5 1 0 3",
            "111111111111 us-east-1 us-east-1 2024-05-02 2024 5 2 13 3",
            "222222222222 eu-west-1 eu-west-1 2024-05-02 2024 5 2 14 3",
            "111111111111 us-east-1 us-east-1 2024-05-03 2024 5 3 - 3",
            "222222222222 eu-west-1 eu-west-1 2024-05-03 2024 5 3 15 3",
        ]
    );
}

#[test]
fn files_of_different_formats_are_one_table() {
    let root = tempfile::tempdir().unwrap();
    for (name, wrapping) in [("1.log", Wrapping::Plain), ("2.log", Wrapping::Parquet)] {
        let region = "srcaddr region bytes\n10.0.0.1 eu-west-1 7\n10.0.0.2 - 8\n";
        let folder = "AWSLogs/111111111111/vpcflowlogs/eu-west-1/2024/05/01";
        write(&root.path().join(folder).join(name), wrapping, region);
        let other = "dstport action bytes srcaddr\n22 REJECT 9 10.0.0.3\n";
        write(&root.path().join(folder).join(format!("b{name}")), wrapping, other);
    }
    let sql = "SELECT srcaddr, region, bytes, action, dstport, count(*) FROM flow_logs GROUP BY 1, 2, 3, 4, 5 ORDER BY 1";
    let (rows, _) = query(root.path(), sql);
    // Where the record has no region, the place says it.
    let expected =
        ["10.0.0.1 eu-west-1 7 - - 2", "10.0.0.2 eu-west-1 8 - - 2", "10.0.0.3 eu-west-1 9 REJECT 22 2"];
    assert_eq!(rows, expected);
    let (rows, _) = query(root.path(), "SELECT count(*) FROM flow_logs WHERE region = 'eu-west-1'");
    assert_eq!(rows, ["6"]);
}

#[test]
fn what_is_damaged_is_counted_and_never_fails_a_query() {
    let root = tempfile::tempdir().unwrap();
    let mut text = lines(1_714_521_600, "10.0.0.1");
    text.push_str("2 123456789012 eni-1 here 10.0.0.9 1 2 6 1 1 1 1 ACCEPT OK\n\nshort\n2 x\n");
    text.push_str("2 123456789012 eni-1 10.0.0.2 10.0.0.9 1 2 6 many 1 1 1 ACCEPT OK");
    write(&root.path().join("a.log"), Wrapping::Plain, &text);
    write(&root.path().join("b.log.gz"), Wrapping::Gzip, &text);
    let (rows, tally) = query(root.path(), "SELECT count(*), count(srcaddr), sum(bytes) FROM flow_logs");
    assert_eq!(rows, ["8 6 1762"]);
    assert_eq!((tally.lines(), tally.malformed()), (18, 8));
    // Only what is asked for is looked at.
    let (rows, tally) = query(root.path(), "SELECT count(*), sum(packets) FROM flow_logs");
    assert_eq!(rows, ["8 24"]);
    assert_eq!(tally.malformed(), 8);
    assert_eq!(tally.first_malformed().len(), 8);
    // A file that is cut off gives its whole lines, here all but the last; one of something else nothing.
    let path = root.path().join("b.log.gz");
    let packed = std::fs::read(&path).unwrap();
    std::fs::write(&path, &packed[..packed.len() - 9]).unwrap();
    std::fs::write(root.path().join("c.bin"), [0; 100]).unwrap();
    let (rows, tally) = query(root.path(), "SELECT count(*) FROM flow_logs");
    let (unusable, problems) = tally.unusable();
    assert_eq!(unusable, 2, "{problems:?}");
    assert_eq!(rows, ["9"]);
    assert!(try_query(root.path(), "SELECT weather FROM flow_logs").unwrap_err().contains("weather"));
}

#[test]
fn large_plain_files_are_read_in_parts_without_loss() {
    let root = tempfile::tempdir().unwrap();
    let mut text = format!("{HEADER}\n");
    let mut bytes = 0_u64;
    let mut rows = 0_u64;
    while text.len() < 40 << 20 {
        // Lines of many lengths, so that cuts fall everywhere.
        let value = rows.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (rows % 60);
        text.push_str(&format!(
            "2 123456789012 eni-{rows} 10.0.0.1 10.0.0.2 1 2 6 1 {} 1 1 ACCEPT OK\n",
            value >> 1
        ));
        bytes = bytes.wrapping_add(value >> 1);
        rows += 1;
    }
    write(&root.path().join("large.log"), Wrapping::Plain, &text);
    let (found, tally) = query(root.path(), "SELECT count(*), count(DISTINCT interface_id) FROM flow_logs");
    assert_eq!(found, [format!("{rows} {rows}")]);
    assert!(tally.opened().len() >= 2, "{:?}", tally.opened());
    assert_eq!(tally.lines(), rows + 1);
    assert_eq!(tally.scanned_bytes(), text.len() as u64);
    // A limit does not read it all.
    let (found, tally) = query(root.path(), "SELECT interface_id FROM flow_logs LIMIT 3");
    assert_eq!(found.len(), 3);
    assert!(tally.scanned_bytes() < text.len() as u64 / 2, "{}", tally.scanned_bytes());
}

#[test]
fn the_first_rows_of_many_files_open_few_of_them() {
    let root = tempfile::tempdir().unwrap();
    for count in 0..60 {
        write(
            &root.path().join(format!("{count:02}.log.gz")),
            Wrapping::Gzip,
            &lines(1_714_521_600, "10.0.0.1"),
        );
    }
    let (found, tally) = query(root.path(), "SELECT srcaddr FROM flow_logs LIMIT 2");
    assert_eq!(found.len(), 2);
    // One a thread, and what one of them began before the other was heard.
    assert!(tally.opened().len() <= 12, "{:?}", tally.opened());
}

#[test]
fn saved_queries_answer() {
    let root = tempfile::tempdir().unwrap();
    folder(root.path());
    for (name, expected) in [
        ("accepted-traffic", "10.0.0.9 443 6 5 4200"),
        ("busy-interfaces", "eni-1 4400 55"),
        ("ip-versions", "IPv4 10 4400"),
        ("ports", "443 6 4200 5"),
        ("protocols", "6 10 55 4400"),
        ("rejected-ports", "22 6 5 5"),
        ("rejected-traffic", "10.1.0.1 1 1 1"),
        ("skipdata", "NODATA eni-1 5"),
        ("ssh-rdp", "10.1.0.1 10.0.0.9 22 REJECT 1 40"),
        ("subnet-pairs", "10.1.0.0/24 10.0.0.0/24 2640 6"),
        ("top-talkers", "10.1.0.1 10.0.0.9 880 11"),
        ("traffic-by-hour", "2024-05-01T00:00:00 880 3 1"),
    ] {
        let saved = weir_query::saved::by_name(name).unwrap();
        let (rows, _) = query(root.path(), saved.sql);
        assert_eq!(rows.first().map(String::as_str), Some(expected), "{name}");
    }
    assert_eq!(weir_query::saved::SAVED.len(), 12);
}

/// Source: Amazon Athena user guide, "Query Amazon VPC flow logs"; those that
/// need no function of Trino's own.
#[test]
fn published_queries_answer() {
    let root = tempfile::tempdir().unwrap();
    folder(root.path());
    for (sql, expected) in [
        ("SELECT * FROM flow_logs WHERE date = DATE '2024-05-01' LIMIT 100", 3),
        (
            "SELECT date, interface_id, srcaddr, action, protocol FROM flow_logs WHERE action = 'REJECT' AND protocol = 6 LIMIT 100",
            5,
        ),
        (
            "SELECT SUM(packets) AS packetcount, dstaddr FROM flow_logs WHERE dstport = 443 AND date > DATE '2024-05-08' - interval '7' day GROUP BY dstaddr ORDER BY packetcount DESC LIMIT 10",
            1,
        ),
        (
            "SELECT log_status, interface_id, count(1) FROM flow_logs WHERE interface_id IN ('eni-1', 'eni-2') GROUP BY log_status, interface_id",
            2,
        ),
        (
            "SELECT * FROM flow_logs WHERE split_part(srcaddr, '.', 1) = '10' AND split_part(srcaddr, '.', 2) = '2' LIMIT 100",
            4,
        ),
        (
            "SELECT srcaddr, from_unixtime(start) AS start_time, from_unixtime(\"end\") AS end_time FROM flow_logs WHERE day = 2 AND srcaddr = '10.1.0.2' LIMIT 100",
            2,
        ),
    ] {
        let (rows, _) = query(root.path(), sql);
        assert_eq!(rows.len(), expected, "{sql}: {rows:?}");
    }
}
