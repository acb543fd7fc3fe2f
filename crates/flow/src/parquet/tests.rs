use super::*;
use crate::columns::{self, tests::cell};
use crate::format::LogFormat;
use crate::text::tests::{any_line, each_sample};
use ::parquet::arrow::ArrowWriter;
use ::parquet::basic;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray,
    UInt32Array,
};
use bytes::Bytes;
use proptest::prelude::*;
use std::sync::Arc;

fn batch(format: &LogFormat, lines: &str) -> RecordBatch {
    columns::Reader::new(format.clone(), format.fields()).push_block(lines.as_bytes()).batch
}

fn write(fields: &[Field], batches: &[RecordBatch], options: WriterOptions) -> Bytes {
    let mut writer = Writer::new(Vec::new(), fields, options).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap().into()
}

/// A file as others might write it.
fn others_file<const N: usize>(columns: [(&str, ArrayRef); N]) -> Bytes {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap().into()
}

fn read(file: Bytes, projection: Option<&[Field]>) -> Result<Vec<RecordBatch>, Error> {
    Reader::new(file, projection)?.collect()
}

fn lines(batches: &[RecordBatch]) -> Vec<String> {
    let line = |batch: &RecordBatch, row| -> String {
        batch.columns().iter().map(|column| cell(column, row)).collect::<Vec<_>>().join(" ")
    };
    batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| line(batch, row))).collect()
}

#[test]
fn a_file_is_what_aws_writes() {
    let format =
        LogFormat::from_header("version srcaddr srcport protocol packets start action tcp-flags").unwrap();
    let batch = batch(&format, "3 10.0.0.1 80 6 9 1418530010 ACCEPT 18\n3 - - - - 1418530010 - -\n");
    let file = write(
        format.fields(),
        &[batch.clone(), batch],
        WriterOptions { row_group_rows: 3, ..Default::default() },
    );
    let reader = SerializedFileReader::new(file).unwrap();
    let metadata = reader.metadata();
    let schema = metadata.file_metadata().schema_descr();
    let columns: Vec<String> = schema
        .columns()
        .iter()
        .map(|column| {
            let is_text = column.logical_type_ref() == Some(&basic::LogicalType::String);
            let optional = column.max_def_level() == 1;
            format!("{} {} {is_text} {optional}", column.name(), column.physical_type())
        })
        .collect();
    assert_eq!(
        columns,
        [
            "version INT32 false true",
            "srcaddr BYTE_ARRAY true true",
            "srcport INT32 false true",
            "protocol INT32 false true",
            "packets INT64 false true",
            "start INT64 false true",
            "action BYTE_ARRAY true true",
            "tcp_flags INT32 false true",
        ]
    );
    assert!(metadata.file_metadata().key_value_metadata().is_none());
    assert_eq!(metadata.row_groups().iter().map(|group| group.num_rows()).collect::<Vec<_>>(), [3, 1]);
    for group in metadata.row_groups() {
        for column in group.columns() {
            assert!(matches!(column.compression(), basic::Compression::GZIP(_)));
            assert!(column.statistics().is_some_and(|statistics| statistics.null_count_opt().is_some()));
        }
    }
}

#[test]
fn compressions_are_those_asked_for() {
    let format = LogFormat::from_header("bytes vpc-id").unwrap();
    let batch = batch(&format, "1 vpc-1\n2 -\n");
    for (compression, name) in [
        (Compression::Gzip, "GZIP(GzipLevel(6))"),
        (Compression::Zstd, "ZSTD(ZstdLevel(1))"),
        (Compression::Snappy, "SNAPPY"),
        (Compression::Uncompressed, "UNCOMPRESSED"),
    ] {
        let options = WriterOptions { compression, ..WriterOptions::default() };
        let file = write(format.fields(), std::slice::from_ref(&batch), options);
        let reader = SerializedFileReader::new(file.clone()).unwrap();
        assert_eq!(reader.metadata().row_group(0).column(0).compression().to_string(), name);
        assert_eq!(lines(&read(file, None).unwrap()), ["1 vpc-1", "2 -"]);
    }
}

#[test]
fn samples_come_back() {
    each_sample(|format, _, line| {
        let file = write(format.fields(), &[batch(format, line)], WriterOptions::default());
        assert_eq!(lines(&read(file, None).unwrap()), [line]);
    });
}

#[test]
fn only_the_columns_asked_for_and_nulls_for_missing_ones() {
    let format = LogFormat::from_header("version srcaddr bytes").unwrap();
    let file = write(format.fields(), &[batch(&format, "2 10.0.0.1 7\n")], WriterOptions::default());
    let projection = [Field::Bytes, Field::VpcId, Field::Version, Field::TcpFlags];
    let mut reader = Reader::new(file.clone(), Some(&projection)).unwrap();
    assert_eq!((reader.rows(), reader.fields()), (1, &projection[..]));
    let batch = reader.next().unwrap().unwrap();
    assert_eq!(batch.schema(), columns::schema(&projection));
    assert_eq!(lines(&[batch]), ["7 - 2 -"]);
    // Nothing of the file is needed but how many rows there are.
    let batches = read(file.clone(), Some(&[Field::Region])).unwrap();
    assert_eq!(lines(&batches), ["-"]);
    assert_eq!(read(file, Some(&[])).unwrap().iter().map(RecordBatch::num_rows).sum::<usize>(), 1);
}

#[test]
fn columns_of_other_widths_are_converted_and_checked() {
    let file = others_file([
        ("version", Arc::new(Int64Array::from(vec![Some(2), None])) as ArrayRef),
        ("protocol", Arc::new(Int16Array::from(vec![Some(6), None]))),
        ("src-port", Arc::new(BooleanArray::from(vec![true, false]))),
        ("srcport", Arc::new(UInt32Array::from(vec![Some(80), Some(65535)]))),
        ("packets", Arc::new(Int32Array::from(vec![Some(9), None]))),
        ("bytes", Arc::new(StringArray::from(vec!["12", "-"]))),
        ("log-status", Arc::new(StringArray::from(vec!["OK", "-"]))),
        ("srcaddr", Arc::new(BinaryArray::from(vec![Some(&b"10.0.0.1"[..]), Some(b"-")]))),
        ("tcp_flags", Arc::new(StringArray::from(vec![None::<&str>, None]))),
    ]);
    let reader = Reader::new(file.clone(), None).unwrap();
    let names: Vec<&str> = reader.fields().iter().map(|field| field.name()).collect();
    assert_eq!(
        names,
        ["version", "protocol", "srcport", "packets", "bytes", "log-status", "srcaddr", "tcp-flags"]
    );
    assert_eq!(lines(&read(file, None).unwrap()), ["2 6 80 9 12 OK 10.0.0.1 -", "- - 65535 - - - - -"]);
}

#[test]
fn what_cannot_be_converted_says_where() {
    for (name, column, expected) in [
        (
            "dstport",
            Arc::new(Int64Array::from(vec![1, 1 << 31])) as ArrayRef,
            "row 1 of the Parquet file: dstport cannot be 2147483648",
        ),
        (
            "bytes",
            Arc::new(StringArray::from(vec!["1", "many"])),
            "row 1 of the Parquet file: bytes cannot be many",
        ),
        (
            "action",
            Arc::new(BooleanArray::from(vec![true])),
            "column action of the Parquet file has the type Boolean, not Utf8",
        ),
        (
            "vpc_id",
            Arc::new(BinaryArray::from(vec![&b"\xff"[..]])),
            "row 0 of the Parquet file: vpc_id cannot be \"\u{fffd}\"",
        ),
    ] {
        let error = read(others_file([(name, column)]), None).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn other_files_are_refused() {
    let file = others_file([("weather", Arc::new(Int32Array::from(vec![1])) as ArrayRef)]);
    assert_eq!(
        read(file, None).unwrap_err().to_string(),
        "the Parquet file has no column of a flow log: it has weather"
    );
    for bytes in [&b""[..], b"PAR1", b"2 123456789010 eni-1", &[0; 100]] {
        assert!(matches!(read(Bytes::copy_from_slice(bytes), None), Err(Error::Read(_))));
    }
    let format = LogFormat::from_header("bytes").unwrap();
    let mut writer = Writer::new(Vec::new(), &[Field::Packets], WriterOptions::default()).unwrap();
    assert!(matches!(writer.write(&batch(&format, "1\n")), Err(Error::OtherColumns)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_records_come_back((format, line) in any_line(), copies in 1..5usize) {
        let text = format!("{line}\n").repeat(copies);
        let options = WriterOptions { compression: Compression::Zstd, row_group_rows: 2 };
        let file = write(format.fields(), &[batch(&format, &text)], options);
        prop_assert_eq!(lines(&read(file, None).unwrap()), vec![line; copies]);
    }

    #[test]
    fn a_damaged_file_is_an_error_and_no_panic(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let format = LogFormat::from_header("srcaddr bytes action").unwrap();
        let batch = batch(&format, "10.0.0.1 7 ACCEPT\n10.0.0.2 8 REJECT\n");
        let mut file = write(format.fields(), &[batch], WriterOptions::default()).to_vec();
        let at = at.index(file.len());
        file[at] ^= 1 << bit;
        let _ = read(file.into(), None);
    }
}
