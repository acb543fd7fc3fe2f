use super::*;
use crate::text::parse_line;
use crate::text::tests::{any_line, each_sample};
use crate::value::Value;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use proptest::prelude::*;

/// A cell as a line has it.
pub(crate) fn cell(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "-".to_owned();
    }
    match column.data_type() {
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        _ => column.as_string::<i32>().value(row).to_owned(),
    }
}

fn rows(batch: &RecordBatch) -> Vec<Vec<String>> {
    (0..batch.num_rows())
        .map(|row| batch.columns().iter().map(|column| cell(column, row)).collect())
        .collect()
}

/// Reads `input` in blocks of at most `block_bytes`.
fn read(
    format: &LogFormat,
    projection: &[Field],
    input: &[u8],
    block_bytes: usize,
) -> (Vec<Vec<String>>, Vec<Malformed>, Counts) {
    let mut blocks = BlockReader::with_block_bytes(input, block_bytes);
    let mut reader = Reader::new(format.clone(), projection);
    let (mut all, mut malformed, mut counts) = (Vec::new(), Vec::new(), Counts::default());
    while let Some(block) = blocks.next_block().unwrap() {
        let block = reader.push_block(block);
        assert_eq!(block.batch.schema_ref(), reader.schema());
        all.extend(rows(&block.batch));
        malformed.extend(block.malformed);
        counts += block.counts;
    }
    (all, malformed, counts)
}

/// What [`read`] must give, by the row parser: slow and obvious.
fn expected(
    format: &LogFormat,
    projection: &[Field],
    input: &[u8],
) -> (Vec<Vec<String>>, Vec<Malformed>, Counts) {
    let (mut all, mut malformed, mut counts) = (Vec::new(), Vec::new(), Counts::default());
    let mut offset = 0;
    let lines = input.split_inclusive(|&byte| byte == b'\n');
    for (line, number) in lines.zip(1..) {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        counts.lines += 1;
        if text == format.header().as_bytes() || text == format.header().replace('-', "_").as_bytes() {
            counts.headers += 1;
        } else {
            match checked(format, projection, number, text) {
                Ok(()) => {
                    let values: Vec<&[u8]> = text.split(|&byte| byte == b' ').collect();
                    let value = |field: Field| {
                        let value = format.position(field).map_or(&b"-"[..], |position| values[position]);
                        String::from_utf8(value.to_vec()).unwrap()
                    };
                    counts.records += 1;
                    if let Some(position) = format.position(Field::LogStatus) {
                        counts.no_data += u64::from(values[position] == b"NODATA");
                        counts.skip_data += u64::from(values[position] == b"SKIPDATA");
                    }
                    all.push(projection.iter().copied().map(value).collect());
                }
                Err(fault) => {
                    counts.malformed += 1;
                    malformed.push(Malformed { offset, fault });
                }
            }
        }
        offset += line.len() as u64;
    }
    (all, malformed, counts)
}

fn checked(format: &LogFormat, projection: &[Field], number: u64, line: &[u8]) -> Result<(), MalformedLine> {
    // Values that nobody asked for are made ones that nobody can object to.
    let mut tamed = Vec::new();
    let mut shifts = Vec::new();
    for (position, value) in line.split(|&byte| byte == b' ').enumerate() {
        let field = format.fields().get(position);
        let text = String::from_utf8(value.to_vec());
        let tame = match (field, &text) {
            (Some(field), Ok(text)) if projection.contains(field) => text.clone(),
            (Some(field), Err(_)) if projection.contains(field) => "\u{7f}not-utf-8".to_owned(),
            (Some(field), _) if field.kind().max().is_some() => "1".to_owned(),
            (Some(field), _) if field.kind() == crate::field::Kind::Address => "::".to_owned(),
            _ => "x".to_owned(),
        };
        shifts.push((value.len(), tame.len()));
        tamed.push(tame);
    }
    parse_line(format, number, &tamed.join(" ")).map(drop).map_err(|mut fault| {
        // The column in the line as it was.
        let (mut was, mut is) = (1, 1);
        for &(value_len, tame_len) in &shifts {
            if is >= fault.column {
                break;
            }
            was += value_len + 1;
            is += tame_len + 1;
        }
        // A line that ends too early ends one before the value that would follow.
        fault.column = was - usize::from(fault.problem == crate::text::Problem::Missing);
        let was_utf8 = format.position(fault.field).and_then(|p| line.split(|&b| b == b' ').nth(p));
        if was_utf8.is_some_and(|value| std::str::from_utf8(value).is_err())
            && fault.problem != crate::text::Problem::TooMany
        {
            fault.problem = crate::text::Problem::NotUtf8;
        }
        fault
    })
}

fn check(format: &LogFormat, projection: &[Field], input: &[u8], block_bytes: usize) {
    let found = read(format, projection, input, block_bytes);
    let expected = expected(format, projection, input);
    let shown = String::from_utf8_lossy(input);
    assert_eq!(found.0, expected.0, "rows of {shown:?}");
    assert_eq!(found.1, expected.1, "malformed lines of {shown:?}");
    assert_eq!(found.2, expected.2, "{shown:?}");
}

#[test]
fn the_samples_of_the_user_guide() {
    each_sample(|format, _, line| {
        check(format, format.fields(), line.as_bytes(), 4096);
        check(
            format,
            &[Field::LogStatus, Field::SrcAddr, Field::Bytes],
            format!("{line}\n{line}").as_bytes(),
            4096,
        );
        let (rows, ..) = read(format, format.fields(), line.as_bytes(), 4096);
        assert_eq!(rows.concat().join(" "), line);
    });
}

#[test]
fn malformed_lines_are_set_aside_and_reading_goes_on() {
    let format = LogFormat::from_header("version srcaddr bytes log-status").unwrap();
    let input = "version srcaddr bytes log-status\n\
        2 10.0.0.1 7 OK\n\
        2 10.0.0.300 7 OK\n\
        2 - - NODATA\n\
        2 10.0.0.1\n\
        version srcaddr bytes log_status\n\
        2 10.0.0.1 99999999999999999999 OK\n\
        \n\
        2 - - SKIPDATA\n\
        2 2001:db8::1 9223372036854775807 OK";
    let (rows, malformed, counts) = read(&format, format.fields(), input.as_bytes(), 4096);
    assert_eq!(
        rows.iter().map(|row| row.join(" ")).collect::<Vec<_>>(),
        ["2 10.0.0.1 7 OK", "2 - - NODATA", "2 - - SKIPDATA", "2 2001:db8::1 9223372036854775807 OK",]
    );
    assert_eq!(
        malformed.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "line 3, column 3, field srcaddr: '10.0.0.300' is not an IPv4 or IPv6 address",
            "line 5, column 11, field bytes: the line ends before it",
            "line 7, column 12, field bytes: 99999999999999999999 is larger than 9223372036854775807",
            "line 8, column 1, field version: it is empty: values are divided by one space",
        ]
    );
    assert_eq!(malformed[0].offset, 49);
    assert_eq!(counts, Counts { lines: 10, records: 4, no_data: 1, skip_data: 1, malformed: 4, headers: 2 });
    check(&format, format.fields(), input.as_bytes(), 64);
}

#[test]
fn two_short_lines_do_not_make_a_long_one() {
    let format = LogFormat::from_header("srcport dstport protocol packets").unwrap();
    check(&format, format.fields(), b"1 2\n3 4\n1 2 3 4\n", 4096);
    check(&format, format.fields(), b"1 2 3\n4\n5 6 7 8\n1 2 3 4 5\n6 7 8\n", 4096);
}

#[test]
fn a_field_that_the_format_lacks_is_a_column_of_nulls() {
    let format = LogFormat::from_header("bytes").unwrap();
    let mut reader = Reader::new(format, &[Field::VpcId, Field::Bytes, Field::Packets, Field::Bytes]);
    let block = reader.push_block(b"1\n2\n");
    assert_eq!(rows(&block.batch), [["-", "1", "-", "1"], ["-", "2", "-", "2"]]);
    let names: Vec<&str> = reader.schema().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["vpc_id", "bytes", "packets", "bytes"]);
}

#[test]
fn nothing_but_counting_needs_no_column() {
    let mut reader = Reader::new(LogFormat::default(), &[]);
    let block = reader.push_block(b"2 1 - - - - - - - - 1 2 - NODATA\nx\n");
    assert_eq!((block.batch.num_rows(), block.batch.num_columns()), (1, 0));
    assert_eq!((block.counts.no_data, block.counts.malformed), (1, 1));
}

#[test]
fn malformed_lines_are_counted_when_there_are_too_many_to_keep() {
    let mut reader = Reader::new(LogFormat::default(), LogFormat::default().fields()).starting_at(11, 1000);
    let block = reader.push_block(&b"\n".repeat(200_000));
    assert_eq!(block.counts.malformed, 200_000);
    assert_eq!(block.malformed.len(), Reader::MALFORMED_KEPT);
    assert_eq!((block.malformed[1].fault.line, block.malformed[1].offset), (12, 1001));
    let block = reader.push_block(b"x\n");
    assert_eq!((block.malformed[0].fault.line, block.malformed[0].offset), (200_011, 201_000));
}

#[test]
fn chunks_join_without_a_seam() {
    // Several chunks in one block, with texts longer than what is copied at once.
    let format = LogFormat::from_header("ecs-task-arn srcaddr bytes vpc-id").unwrap();
    let mut input = String::new();
    for i in 0..12_000u64 {
        let arn = "a".repeat(usize::try_from(i % 90).unwrap() + 1);
        input.push_str(&format!(
            "{arn} 10.{}.{}.1 {} {}\n",
            i % 256,
            i / 256,
            i * i,
            if i % 7 == 0 { "-" } else { "vpc" }
        ));
        if i % 5_000 == 4_999 {
            input.push_str("short\nvpc-größe 1.2.3.4 1 ü\nx 1.2.3.4 1 \t\n");
        }
    }
    assert!(input.len() > 500_000);
    check(&format, format.fields(), input.as_bytes(), 1 << 20);
    check(&format, &[Field::Bytes, Field::EcsTaskArn], input.as_bytes(), 100_000);
    let long =
        format!("{} 1.2.3.4 1 x\n{} 1.2.3.4 x\n1 1.1.1.1 1 1\n", "b".repeat(300_000), "c".repeat(200_000));
    check(&format, format.fields(), long.as_bytes(), 1 << 20);
}

/// The memory of a batch is used again, but not while anybody has the batch, or
/// a part of it.
#[test]
fn batches_that_are_kept_stay_as_they_are() {
    let format = LogFormat::parse("${interface-id} ${srcaddr} ${bytes} ${protocol}").unwrap();
    let block = |number: usize| -> String {
        let long = "2001:db8:1111:2222:3333:4444:5555:6666";
        let line = |row: usize| match row % (number + 3) {
            0 => format!("eni-{number} {long} {} -\n", number * row),
            1 => format!("eni-{row} - - 6\n"),
            _ => format!("eni-{number} 10.0.{number}.{} {row} 17\n", row % 256),
        };
        (0..100 * (number % 4 + 1)).map(line).collect()
    };
    let mut reader = Reader::new(format.clone(), format.fields());
    let mut kept = Vec::new();
    for number in 0..20 {
        let batch = reader.push_block(block(number).as_bytes()).batch;
        match number % 3 {
            0 => {}
            1 => kept.push((batch.slice(7, 50), rows(&batch.slice(7, 50)))),
            _ => kept.push((batch.project(&[1]).unwrap(), rows(&batch.project(&[1]).unwrap()))),
        }
    }
    assert!(kept.iter().all(|(batch, before)| rows(batch) == *before));
    for number in 0..4 {
        let text = block(number);
        check(&format, format.fields(), text.as_bytes(), 1 << 20);
    }
}

#[test]
fn texts_of_one_length_and_of_several() {
    let format = LogFormat::parse("${interface-id} ${az-id}").unwrap();
    for (text, offsets) in [
        ("", vec![0]),
        ("eni-1 -\n", vec![0, 5]),
        ("eni-1 a\neni-2 b\neni-3 c\n", vec![0, 5, 10, 15]),
        ("eni-1 a\neni-22 b\neni-3 c\n", vec![0, 5, 11, 16]),
        ("eni-1 a\n- b\n", vec![0, 5, 5]),
        ("- a\n- -\n", vec![0, 0, 0]),
    ] {
        let mut reader = Reader::new(format.clone(), format.fields());
        for _ in 0..3 {
            let batch = reader.push_block(text.as_bytes()).batch;
            assert_eq!(batch.column(0).as_string::<i32>().value_offsets(), offsets, "{text:?}");
        }
        check(&format, format.fields(), text.as_bytes(), 1 << 20);
        let many = text.repeat(700);
        check(&format, format.fields(), many.as_bytes(), 1 << 20);
    }
}

#[test]
fn a_line_longer_than_a_block_is_an_error() {
    let mut blocks = BlockReader::with_block_bytes(&b"1\n2"[..], 64);
    assert_eq!(blocks.next_block().unwrap(), Some(&b"1\n2"[..]));
    assert_eq!(blocks.next_block().unwrap(), None);
    let long = [b'x'; 65];
    let mut blocks = BlockReader::with_block_bytes(&long[..], 64);
    assert_eq!(blocks.next_block().unwrap_err().kind(), std::io::ErrorKind::InvalidData);
}

/// A line, mostly of the format, sometimes with a fault.
fn any_input() -> impl Strategy<Value = (LogFormat, Vec<Field>, Vec<u8>)> {
    let fault = prop_oneof![
        6 => Just(None),
        4 => (any::<prop::sample::Index>(), 0..3u8, prop_oneof![
            Just(b' '), Just(b'\n'), Just(b'-'), Just(b'0'), Just(b'9'), Just(b'.'), Just(b':'), Just(b'\t'), any::<u8>()
        ])
        .prop_map(Some),
    ];
    let pieces = prop::collection::vec((fault, 0..24u8), 1..30);
    (any_line(), prop::collection::vec(any_line(), 0..3), pieces, any::<prop::sample::Index>(), any::<bool>())
        .prop_map(|((format, line), other_lines, pieces, pick, all)| {
            let mut input = Vec::new();
            for (fault, sort) in pieces {
                let mut bytes = match (sort, other_lines.get(usize::from(sort))) {
                    (_, Some((_, other))) => other.clone().into_bytes(),
                    (3, _) => format.header().into_bytes(),
                    (4, _) => format.header().replace('-', "_").into_bytes(),
                    _ => line.clone().into_bytes(),
                };
                if let Some((at, how, byte)) = fault {
                    let at = at.index(bytes.len());
                    match how {
                        0 => bytes[at] = byte,
                        1 => bytes.insert(at, byte),
                        _ => drop(bytes.remove(at)),
                    }
                }
                input.extend(bytes);
                input.push(b'\n');
            }
            let mut projection = format.fields().to_vec();
            if !all {
                projection.truncate(pick.index(projection.len()) + 1);
                projection.reverse();
                projection.push(Field::Bytes);
            }
            if pick.index(3) == 0 {
                input.pop();
            }
            (format, projection, input)
        })
}

proptest! {
    #[test]
    fn the_row_parser_agrees_on_every_line((format, projection, input) in any_input()) {
        check(&format, &projection, &input, 1 << 16);
    }

    #[test]
    fn typed_values_are_those_of_the_row_parser((format, line) in any_line()) {
        let record = parse_line(&format, 1, &line).unwrap();
        let batch = Reader::new(format.clone(), format.fields()).push_block(line.as_bytes()).batch;
        for (value, column) in record.values.iter().zip(batch.columns()) {
            match (value, column.data_type()) {
                (Value::Null, _) => prop_assert!(column.is_null(0)),
                (Value::Int(number), DataType::Int32) => {
                    prop_assert_eq!(i64::from(column.as_primitive::<Int32Type>().value(0)), *number);
                }
                (Value::Int(number), _) => prop_assert_eq!(column.as_primitive::<Int64Type>().value(0), *number),
                (text, _) => prop_assert_eq!(column.as_string::<i32>().value(0), text.to_string()),
            }
        }
    }

    #[test]
    fn any_bytes_are_read((input, block_bytes) in (prop::collection::vec(any::<u8>(), 0..300), 300..400usize)) {
        let format = LogFormat::from_header("srcaddr bytes vpc-id").unwrap();
        check(&format, format.fields(), &input, block_bytes);
    }
}
