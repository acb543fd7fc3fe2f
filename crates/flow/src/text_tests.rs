use super::*;
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Calls `check` with the format, the line's number and the line of each sample.
pub(crate) fn each_sample(mut check: impl FnMut(&LogFormat, u64, &str)) {
    let mut format = LogFormat::default();
    for (number, line) in (1..).zip(include_str!("../tests/data/samples.txt").lines()) {
        match line.strip_prefix("$ ") {
            Some(header) => format = LogFormat::from_header(header).unwrap(),
            None if line.is_empty() || line.starts_with('#') => {}
            None => check(&format, number, line),
        }
    }
}

#[test]
fn the_samples_of_the_user_guide_are_read_and_written_again() {
    let mut count = 0;
    each_sample(|format, number, line| {
        let record = parse_line(format, number, line).unwrap();
        let mut again = String::new();
        record.write(&mut again);
        assert_eq!(again, line);
        if let Some(version) = record.get(Field::Version) {
            assert_eq!(version, Value::Int(format.version().into()), "{line}");
        }
        count += 1;
    });
    assert_eq!(count, 39);
}

#[test]
fn a_sample_line_becomes_typed_values() {
    let format = LogFormat::default();
    let line = "2 123456789010 eni-1235b8ca123456789 2001:db8::1 10.0.0.1 34892 22 6 54 8855 1477913708 \
                1477913820 ACCEPT OK";
    let record = parse_line(&format, 1, line).unwrap();
    for (field, value) in [
        (Field::Version, Value::Int(2)),
        (Field::AccountId, Value::Text("123456789010")),
        (Field::SrcAddr, Value::Ip("2001:db8::1".parse().unwrap())),
        (Field::DstAddr, Value::Ip("10.0.0.1".parse().unwrap())),
        (Field::SrcPort, Value::Int(34892)),
        (Field::Bytes, Value::Int(8855)),
        (Field::LogStatus, Value::Text("OK")),
    ] {
        assert_eq!(record.get(field), Some(value), "{field}");
    }
    assert_eq!(record.get(Field::Region), None);
}

#[test]
fn a_malformed_line_says_where_and_why() {
    let format = LogFormat::from_header("version srcaddr srcport protocol bytes tcp-flags action").unwrap();
    for (line, expected) in [
        ("", "column 1, field version: it is empty: values are divided by one space"),
        ("2", "column 2, field srcaddr: the line ends before it"),
        ("2 10.0.0.1", "column 11, field srcport: the line ends before it"),
        ("- 10.0.0.1 1 6 9 0 ACCEPT", "column 1, field version: '-' cannot stand here"),
        ("x 10.0.0.1 1 6 9 0 ACCEPT", "column 1, field version: 'x' is not a whole number"),
        ("2  1 6 9 0 ACCEPT", "column 3, field srcaddr: it is empty: values are divided by one space"),
        ("2 10.0.0 1 6 9 0 ACCEPT", "column 3, field srcaddr: '10.0.0' is not an IPv4 or IPv6 address"),
        ("2 10.0.0.01 1 6 9 0 ACCEPT", "column 3, field srcaddr: '10.0.0.01' is not an IPv4 or IPv6 address"),
        ("2 10.0.0.1 65536 6 9 0 ACCEPT", "column 12, field srcport: 65536 is larger than 65535"),
        ("2 10.0.0.1 01 6 9 0 ACCEPT", "column 12, field srcport: '01' is not a whole number"),
        ("2 10.0.0.1 +1 6 9 0 ACCEPT", "column 12, field srcport: '+1' is not a whole number"),
        ("2 10.0.0.1 1 256 9 0 ACCEPT", "column 14, field protocol: 256 is larger than 255"),
        (
            "2 10.0.0.1 1 6 9223372036854775808 0 ACCEPT",
            "column 16, field bytes: 9223372036854775808 is larger than 9223372036854775807",
        ),
        (
            "2 10.0.0.1 1 6 9 2147483648 ACCEPT",
            "column 18, field tcp-flags: 2147483648 is larger than 2147483647",
        ),
        ("2 10.0.0.1 1 6 9 0 ACCEPT\r", "column 20, field action: it has a control character"),
        ("2 10.0.0.1 1 6 9 0 ACCEPT ", "column 27, field action: the line goes on after it"),
        ("2 10.0.0.1 1 6 9 0 ACCEPT OK", "column 27, field action: the line goes on after it"),
    ] {
        let fault = parse_line(&format, 7, line).unwrap_err();
        assert_eq!(fault.to_string(), format!("line 7, {expected}"), "{line:?}");
    }
}

#[test]
fn an_unusual_spelling_of_an_address_is_kept() {
    let format = LogFormat::from_header("srcaddr").unwrap();
    for (text, is_typed) in [
        ("2001:db8::1", true),
        ("::", true),
        ("::ffff:10.0.0.1", true),
        ("2001:DB8::1", false),
        ("2001:db8:0:0:0:0:0:1", false),
        ("2001:0db8::1", false),
    ] {
        let record = parse_line(&format, 1, text).unwrap();
        let value = record.get(Field::SrcAddr).unwrap();
        assert_eq!(matches!(value, Value::Ip(_)), is_typed, "{text}");
        assert_eq!(value.as_ip(), text.parse().ok(), "{text}");
        let mut again = String::new();
        record.write(&mut again);
        assert_eq!(again, text);
    }
}

#[test]
fn a_value_never_breaks_its_line() {
    for (text, written) in [("", "-"), ("a b", "a%20b"), ("a\nb\u{7f}", "a%0Ab%7F"), ("größe", "größe")] {
        let mut out = String::new();
        write_values(&[Value::Text(text), Value::Int(1)], &mut out);
        assert_eq!(out, format!("{written} 1"));
    }
}

pub(crate) fn any_value(field: Field) -> BoxedStrategy<String> {
    let value = match (field.kind(), field.kind().max()) {
        (_, Some(max)) => {
            prop_oneof![0..=max, Just(max), 0..=max.min(300)].prop_map(|n| n.to_string()).boxed()
        }
        (Kind::Address, _) => prop_oneof![
            any::<u32>().prop_map(|bits| Ipv4Addr::from(bits).to_string()),
            any::<u128>().prop_map(|bits| Ipv6Addr::from(bits).to_string()),
            // Runs of zeros, for the compressed forms.
            (any::<u128>(), any::<u128>()).prop_map(|(a, b)| Ipv6Addr::from(a & b & (b << 16)).to_string()),
        ]
        .boxed(),
        _ => "[!-,.-~ß-ÿ][!-~ß-ÿ]{0,12}".boxed(),
    };
    if field.is_nullable() { prop_oneof![4 => value, 1 => Just("-".to_owned())].boxed() } else { value }
}

pub(crate) fn any_line() -> impl Strategy<Value = (LogFormat, String)> {
    let vpc: Vec<Field> = Field::ALL.iter().copied().filter(|f| f.version() != 6).collect();
    proptest::sample::subsequence(vpc, 1..=54).prop_shuffle().prop_flat_map(|fields| {
        let format = LogFormat::new(&fields).unwrap();
        let values: Vec<_> = fields.into_iter().map(any_value).collect();
        values.prop_map(move |values| (format.clone(), values.join(" ")))
    })
}

proptest! {
    #[test]
    fn every_valid_line_of_every_format_round_trips((format, line) in any_line()) {
        let record = parse_line(&format, 1, &line).unwrap();
        let mut again = String::new();
        record.write(&mut again);
        prop_assert_eq!(again, line);
    }

    #[test]
    fn whatever_is_accepted_is_written_again(line in "([0-9a-f:.x -]|\\PC){0,60}") {
        let format = LogFormat::from_header("srcaddr srcport bytes vpc-id").unwrap();
        if let Ok(record) = parse_line(&format, 1, &line) {
            let mut again = String::new();
            record.write(&mut again);
            prop_assert_eq!(again, line);
        }
    }
}
