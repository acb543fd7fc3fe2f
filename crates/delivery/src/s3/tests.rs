use super::put::code;
use super::*;
use crate::http::HttpError;
use crate::spool::SpoolFile;
use std::io::Read;
use weir_types::flow_log::FileFormat;
use weir_types::time::UnixMillis;

const LINE: &str = "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";

fn file(lines: usize) -> SpoolFile {
    let mut file = SpoolFile::new(Header {
        flow_log: "fl-1234abcd".parse().unwrap(),
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        destination: orders::Destination::S3 {
            bucket: "flows".to_owned(),
            prefix: "a/b/".to_owned(),
            file_format: FileFormat::PlainText,
            hive_compatible_partitions: false,
            per_hour_partition: false,
        },
        // 2018-06-20T16:23:00Z
        window_start_s: 1_529_511_720,
        window_end_s: 1_529_511_780,
        part: 7,
        created: UnixMillis(0),
        log_format: None,
        skipped: None,
    });
    for _ in 0..lines {
        file.push("eni-1235b8ca123456789-all", UnixMillis(0), LINE);
    }
    file
}

fn layout(prefix: &str, file_format: FileFormat, hive: bool, hour: bool) -> Layout<'_> {
    Layout { prefix, file_format, hive_compatible_partitions: hive, per_hour_partition: hour }
}

#[test]
fn keys_are_laid_out_as_aws_lays_them_out() {
    use FileFormat::{Parquet, PlainText};
    let header = file(0).header;
    for (layout, expected) in [
        (
            layout("", PlainText, false, false),
            "AWSLogs/123456789012/vpcflowlogs/us-east-1/2018/06/20/\
             123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.gz",
        ),
        (
            layout("my/", Parquet, false, true),
            "my/AWSLogs/123456789012/vpcflowlogs/us-east-1/2018/06/20/16/\
             123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.parquet",
        ),
        (
            layout("", PlainText, true, true),
            "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-1/\
             year=2018/month=06/day=20/hour=16/\
             123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.gz",
        ),
        (
            layout("x/y/", Parquet, true, false),
            "x/y/AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-1/\
             year=2018/month=06/day=20/\
             123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.parquet",
        ),
    ] {
        assert_eq!(layout.key(&header, "fe123456"), expected);
    }
}

#[test]
fn a_text_object_is_gzip_with_a_header_line() {
    let made = |file: &SpoolFile| {
        let texts = object::texts(file, MAX_TEXT_BYTES);
        assert_eq!(texts.len(), 1);
        object::object(layout("", FileFormat::PlainText, false, false), &file.header, 0, &texts[0]).unwrap()
    };
    let object = made(&file(2));
    let mut text = String::new();
    flate2::read::GzDecoder::new(object.body.as_slice()).read_to_string(&mut text).unwrap();
    let names = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
    assert_eq!(text, format!("{names}\n{LINE}\n{LINE}\n"));
    assert_eq!(made(&file(2)), object, "a repeat is the same object");
    assert_ne!(made(&file(3)).key, object.key);
    let mut other = file(2);
    other.header.part = 8;
    assert_ne!(made(&other).key, object.key, "other windows with the same records");
}

#[test]
fn a_parquet_object_has_every_record() {
    let mut file = file(3);
    file.header.log_format = Some("${srcaddr} ${bytes} ${log-status}".to_owned());
    let text = b"10.0.0.1 5 OK\n- - SKIPDATA\n";
    let object =
        object::object(layout("", FileFormat::Parquet, false, false), &file.header, 0, text).unwrap();
    assert_eq!(object.body.get(..4), Some(b"PAR1".as_slice()));
    let mut at = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut at, &object.body).unwrap();
    let batches = weir_flow::parquet::Reader::new(at.reopen().unwrap(), None).unwrap();
    let rows: usize = batches.map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, 2);
}

#[test]
fn objects_end_before_the_limit_and_have_different_keys() {
    let file = file(10);
    let texts = object::texts(&file, 3 * (LINE.len() + 1));
    assert_eq!(texts.iter().map(|text| text.len() / (LINE.len() + 1)).collect::<Vec<_>>(), [3, 3, 3, 1]);
    let layout = layout("", FileFormat::PlainText, false, false);
    let keys: std::collections::BTreeSet<String> = texts
        .iter()
        .enumerate()
        .map(|(number, text)| object::object(layout, &file.header, number, text).unwrap().key)
        .collect();
    assert_eq!(keys.len(), 4);
    assert_eq!(object::texts(&file, 1).len(), 10, "one record at least");
    assert_eq!(object::texts(&self::file(0), 1).len(), 0);
}

#[test]
fn codes_of_answers() {
    let refused = |status: u16, body: &str| HttpError::Refused {
        status: http::StatusCode::from_u16(status).unwrap(),
        body: body.to_owned(),
    };
    for (error, expected) in [
        (refused(403, "<Error><Code>AccessDenied</Code></Error>"), Some("AccessDenied")),
        (refused(404, "<?xml?><Error><Code>NoSuchBucket</Code>"), Some("NoSuchBucket")),
        (refused(403, ""), Some("AccessDenied")),
        (refused(500, "oops"), None),
        (HttpError::NoAnswer("gone".into()), None),
    ] {
        assert_eq!(code(&error).as_deref(), expected, "{error}");
    }
}
