use super::*;
use crate::columns::Reader;
use crate::field::Field;
use crate::format::LogFormat;
use crate::text::tests::any_line;
use arrow_array::{ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray};
use proptest::prelude::*;
use std::sync::Arc;

fn batch(format: &LogFormat, lines: &str) -> RecordBatch {
    let block = Reader::new(format.clone(), format.fields()).push_block(lines.as_bytes());
    assert_eq!(block.malformed, []);
    block.batch
}

const HEADER: &str = "srcaddr protocol bytes start end tcp-flags log-status";
const LINES: &str = "10.0.0.1 6 4249 1418530010 1418530070 18 OK\n\
    2001:db8::1 200 9223372036854775807 0 253402300800 0 OK\n\
    - - - 1418530010 1418530070 - NODATA\n";

/// What `render` gives, as text.
fn check(
    render: impl FnOnce(&RecordBatch, &mut Vec<u8>) -> Result<(), UnknownType>,
    batch: &RecordBatch,
    expected: &str,
) {
    let mut out = Vec::new();
    render(batch, &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn json_objects_with_what_people_look_up() {
    let batch = batch(&LogFormat::from_header(HEADER).unwrap(), LINES);
    check(
        |batch, out| json(batch, Extras::ALL, out),
        &batch,
        concat!(
            r#"{"srcaddr":"10.0.0.1","protocol":6,"protocol_name":"TCP","bytes":4249,"start":1418530010,"#,
            r#""start_utc":"2014-12-14 04:06:50","end":1418530070,"end_utc":"2014-12-14 04:07:50","tcp_flags":18,"#,
            r#""tcp_flags_names":"SYN|ACK","log_status":"OK"}"#,
            "\n",
            r#"{"srcaddr":"2001:db8::1","protocol":200,"protocol_name":null,"bytes":9223372036854775807,"start":0,"#,
            r#""start_utc":"1970-01-01 00:00:00","end":253402300800,"end_utc":null,"tcp_flags":0,"#,
            r#""tcp_flags_names":"none","log_status":"OK"}"#,
            "\n",
            r#"{"srcaddr":null,"protocol":null,"protocol_name":null,"bytes":null,"start":1418530010,"#,
            r#""start_utc":"2014-12-14 04:06:50","end":1418530070,"end_utc":"2014-12-14 04:07:50","tcp_flags":null,"#,
            r#""tcp_flags_names":null,"log_status":"NODATA"}"#,
            "\n",
        ),
    );
    check(
        |batch, out| json(batch, Extras::NONE, out),
        &batch.slice(2, 1).project(&[0, 6]).unwrap(),
        "{\"srcaddr\":null,\"log_status\":\"NODATA\"}\n",
    );
    check(|batch, out| json(batch, Extras::ALL, out), &batch.slice(0, 2).project(&[]).unwrap(), "{}\n{}\n");
}

#[test]
fn csv_lines_with_a_header() {
    let batch = batch(&LogFormat::from_header(HEADER).unwrap(), LINES);
    let extras = Extras { protocol_name: true, start_utc: true, ..Extras::NONE };
    let mut out = Vec::new();
    csv_header(batch.schema_ref(), extras, &mut out);
    csv(&batch, extras, &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "srcaddr,protocol,protocol_name,bytes,start,start_utc,end,tcp_flags,log_status\n\
         10.0.0.1,6,TCP,4249,1418530010,2014-12-14 04:06:50,1418530070,18,OK\n\
         2001:db8::1,200,,9223372036854775807,0,1970-01-01 00:00:00,253402300800,0,OK\n\
         ,,,,1418530010,2014-12-14 04:06:50,1418530070,,NODATA\n"
    );
}

#[test]
fn lines_of_another_format() {
    let batch = batch(&LogFormat::from_header(HEADER).unwrap(), LINES);
    let other = LogFormat::from_header("end vpc-id srcaddr protocol").unwrap();
    check(
        |batch, out| text(batch, &other, out),
        &batch,
        "1418530070 - 10.0.0.1 6\n253402300800 - 2001:db8::1 200\n1418530070 - - -\n",
    );
}

#[test]
fn texts_that_need_an_escape() {
    let texts: ArrayRef =
        Arc::new(StringArray::from(vec![Some("a\"b\\c\n\u{1}ü"), Some("x,y"), Some("a b"), Some(""), None]));
    let batch = RecordBatch::try_from_iter([("vpc_id", texts)]).unwrap();
    check(
        |batch, out| json(batch, Extras::NONE, out),
        &batch,
        "{\"vpc_id\":\"a\\\"b\\\\c\\u000a\\u0001ü\"}\n{\"vpc_id\":\"x,y\"}\n{\"vpc_id\":\"a b\"}\n\
         {\"vpc_id\":\"\"}\n{\"vpc_id\":null}\n",
    );
    check(
        |batch, out| csv(batch, Extras::NONE, out),
        &batch,
        "\"a\"\"b\\c\n\u{1}ü\"\n\"x,y\"\na b\n\"\"\n\n",
    );
    let format = LogFormat::from_header("vpc-id").unwrap();
    check(|batch, out| text(batch, &format, out), &batch, "a\"b\\c%0A%01ü\nx,y\na%20b\n-\n-\n");
}

#[test]
fn columns_that_are_no_fields_are_written_too() {
    let count: ArrayRef = Arc::new(Int64Array::from(vec![Some(-7), None]));
    let port: ArrayRef = Arc::new(Int32Array::from(vec![22, 443]));
    let batch = RecordBatch::try_from_iter([("dstport", port), ("sum", count)]).unwrap();
    check(
        |batch, out| json(batch, Extras::ALL, out),
        &batch,
        "{\"dstport\":22,\"sum\":-7}\n{\"dstport\":443,\"sum\":null}\n",
    );
    let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
    let batch = RecordBatch::try_from_iter([("odd", flags)]).unwrap();
    let mut out = Vec::new();
    let error = csv(&batch, Extras::NONE, &mut out).unwrap_err();
    assert_eq!(
        error.to_string(),
        "column odd has the type Boolean: only Int32, Int64 and Utf8 can be written"
    );
    assert!(out.is_empty());
}

/// An independent reader of one of our flat JSON objects.
fn json_fields(object: &str) -> Vec<(String, String)> {
    let inner = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap();
    let mut fields = Vec::new();
    let mut rest = inner;
    while !rest.is_empty() {
        let (name, after) = rest.strip_prefix('"').unwrap().split_once("\":").unwrap();
        let len = match after.strip_prefix('"') {
            Some(text) => {
                let mut is_escaped = false;
                2 + text
                    .bytes()
                    .position(|byte| {
                        let ends = byte == b'"' && !is_escaped;
                        is_escaped = byte == b'\\' && !is_escaped;
                        ends
                    })
                    .unwrap()
            }
            None => after.find(',').unwrap_or(after.len()),
        };
        fields.push((name.to_owned(), after[..len].to_owned()));
        rest = after[len..].strip_prefix(',').unwrap_or_default();
    }
    fields
}

proptest! {
    #[test]
    fn lines_come_out_as_they_went_in((format, line) in any_line()) {
        let batch = batch(&format, &line);
        let mut out = Vec::new();
        text(&batch, &format, &mut out).unwrap();
        prop_assert_eq!(String::from_utf8(out).unwrap(), format!("{line}\n"));
    }

    #[test]
    fn json_has_the_values_of_the_line((format, line) in any_line()) {
        let batch = batch(&format, &line);
        let mut out = Vec::new();
        json(&batch, Extras::NONE, &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        let found = json_fields(out.trim_end());
        let expected: Vec<(String, String)> = format.fields().iter().zip(line.split(' ')).map(|(field, value)| {
            let value = match field.kind().max() {
                _ if value == "-" => "null".to_owned(),
                Some(_) => value.to_owned(),
                None => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
            };
            (Field::column(*field).to_owned(), value)
        }).collect();
        prop_assert_eq!(found, expected);
    }
}
