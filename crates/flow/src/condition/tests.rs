use super::*;
use crate::text::parse_line;
use proptest::prelude::*;

const SSH: &str = "2 123456789012 eni-1 10.0.0.5 2001:db8::1 39611 22 6 1 4096 100 160 REJECT OK";
const NODATA: &str = "2 123456789012 eni-1 - - - - - - - 100 160 - NODATA";

fn holds(condition: &str, line: &str) -> bool {
    let format = LogFormat::default();
    let condition = Condition::parse(condition).unwrap_or_else(|error| panic!("{condition}: {error}"));
    condition.bind(&format).unwrap().matches(&parse_line(&format, 1, line).unwrap())
}

#[test]
fn conditions_on_records() {
    for (condition, on_ssh, on_nodata) in [
        ("srcaddr in 10.0.0.0/8 and dstport in (22, 3389) and action = REJECT", true, false),
        ("bytes >= 4096", true, false),
        ("bytes > 4096", false, false),
        ("bytes < 4097", true, false),
        ("bytes <= 4095", false, false),
        ("bytes <= 0", false, false),
        ("bytes < 0", false, false),
        ("end > 9223372036854775807", false, false),
        ("end >= 9223372036854775807", false, false),
        ("dstport 1-1023", true, false),
        ("dstport in 1-1023", true, false),
        ("dstport = 1-21", false, false),
        ("dstport in (80, 20-25)", true, false),
        ("dstport not in (80, 443)", true, true),
        ("dstport != 22", false, true),
        ("not dstport = 22", false, true),
        ("not (dstport = 22 or action is null)", false, false),
        ("NOT NOT dstport = 22", true, false),
        ("srcaddr 10.0.0.0/24", true, false),
        ("srcaddr = 10.0.0.9/24", true, false),
        ("srcaddr = '10.0.0.5'", true, false),
        ("srcaddr != 10.0.0.0/8", false, true),
        ("dstaddr = 2001:DB8:0::1", true, false),
        ("dstaddr in (10.0.0.0/8, 2001:db8::/32)", true, false),
        ("dstaddr in 10.0.0.0/8", false, false),
        ("srcaddr like 10.0.*", true, false),
        ("dstaddr like '*::1'", true, false),
        ("srcaddr not like '10.*'", false, true),
        ("interface-id like eni-*", true, true),
        ("interface_id = 'eni-1'", true, true),
        ("interface_id = \"eni-1\"", true, true),
        ("interface-id = 'e''ni'", false, false),
        ("action = reject", true, false),
        ("action is null", false, true),
        ("action = -", false, true),
        ("action != '-'", true, false),
        ("srcaddr is not null", true, false),
        ("log_status in (nodata, SkipData)", false, true),
        ("protocol = tcp", true, false),
        ("protocol in (udp, icmpv6, 6)", true, false),
        ("start = 1970-01-01", true, true),
        ("start >= 1970-01-01T00:01:40Z and end < '1970-01-01 00:02:41'", true, true),
        ("start > 1970-01-01T00:01:40 or end in (1970-01-02, 1971-01-01)", false, false),
        ("start != 1970-01-01T00:01", false, false),
        ("start in 100-159", true, true),
        ("dstport=22&&action==REJECT", true, false),
        ("!(dstport<>22)||bytes=1", true, false),
        // `and` binds tighter than `or`, `not` tighter than both.
        ("dstport = 22 or dstport = 23 and action = ACCEPT", true, false),
        ("(dstport = 22 or dstport = 23) and action = ACCEPT", false, false),
        ("not dstport = 22 and dstport = 22 or protocol = 6", true, false),
    ] {
        assert_eq!((holds(condition, SSH), holds(condition, NODATA)), (on_ssh, on_nodata), "{condition}");
    }
    // Read in an unusual spelling, an address is still an address, and a text.
    let odd = SSH.replace("2001:db8::1", "2001:DB8::1");
    assert!(holds("dstaddr = 2001:db8::1 and dstaddr like '*DB8*'", &odd));
}

#[test]
fn mistakes_name_the_place_and_the_way_out() {
    let deep = "(".repeat(5000);
    let nots = "not ".repeat(5000);
    for (condition, error) in [
        ("", "expected a field, 'not' or '(' at column 1, found the end"),
        ("srcadr = 10.0.0.1", "unknown field 'srcadr' at column 1: did you mean 'srcaddr'?"),
        ("bytes > 1 and weather = 5", "unknown field 'weather' at column 15"),
        ("bytes", "expected =, !=, <, <=, >, >=, 'in' or 'is' after bytes at column 6, found the end"),
        ("bytes ~ 5", "expected =, !=, <, <=, >, >=, 'in' or 'is' after bytes at column 7, found '~'"),
        ("bytes 5", "expected =, !=, <, <=, >, >=, 'in' or 'is' after bytes at column 7, found '5'"),
        ("srcaddr > 10.0.0.1", "expected =, !=, 'in', 'like' or 'is' after srcaddr at column 9, found '>'"),
        ("bytes like 5*", "expected =, !=, <, <=, >, >=, 'in' or 'is' after bytes at column 7, found 'like'"),
        ("bytes not 5", "expected 'in' after bytes at column 7, found '5'"),
        (
            "start > yesterday",
            "expected a time such as 2024-05-01T12:00 or seconds since 1970 at column 9, found 'yesterday'",
        ),
        (
            "end = 2024-02-30",
            "expected a time such as 2024-05-01T12:00 or seconds since 1970 at column 7, found '2024-02-30'",
        ),
        ("tcp-flags = SIN", "expected a whole number or flags such as SYN|ACK at column 13, found 'SIN'"),
        ("vpc-id like 'vpc-%'", "'%' at column 13 stands for itself alone: any characters are '*'"),
        ("bytes >= many", "expected a whole number at column 10, found 'many'"),
        ("bytes >= 1-2", "expected a whole number at column 10, found '1-2'"),
        ("bytes = -5", "expected a whole number or a range such as 1000-1999 at column 9, found '-5'"),
        ("dstport = ssh", "expected a port such as 22 or a range such as 1-1023 at column 11, found 'ssh'"),
        ("dstport = 1-", "expected a port such as 22 or a range such as 1-1023 at column 11, found '1-'"),
        ("dstport = 70000", "70000 at column 11 is larger than dstport can be (65535)"),
        ("dstport 1-99999", "99999 at column 9 is larger than dstport can be (65535)"),
        ("dstport in 9-1", "the range 9-1 at column 12 is empty: put the smaller number first"),
        ("dstport in (22 23)", "expected ',' or ')' at column 16, found '23'"),
        ("dstport in ()", "expected a port such as 22 or a range such as 1-1023 at column 13, found ')'"),
        (
            "dstport in (22, -)",
            "expected a value in the list (write: or dstport is null) at column 17, found '-'",
        ),
        (
            "srcaddr in (10.0.0.0/33)",
            "expected an address such as 10.0.0.1 or a network such as 10.0.0.0/8 at column 13, found \
             '10.0.0.0/33'",
        ),
        ("action = DROP", "expected ACCEPT or REJECT at column 10, found 'DROP'"),
        ("action = null", "expected ACCEPT or REJECT (write: is null) at column 10, found 'null'"),
        ("vpc-id = and", "expected a value (quote a word of the language) at column 10, found 'and'"),
        ("action is REJECT", "expected 'null' at column 11, found 'REJECT'"),
        (
            "vpc-id = vpc-*",
            "'*' at column 10 stands for any characters after 'like' only: write like vpc-*, or quote it",
        ),
        ("vpc-id = 'vpc", "the quote at column 10 is not closed"),
        ("(bytes = 1", "expected 'and', 'or' or ')' at column 11, found the end"),
        ("bytes = 1)", "expected 'and', 'or' or the end at column 10, found ')'"),
        ("bytes = 1 bytes = 2", "expected 'and', 'or' or the end at column 11, found 'bytes'"),
        ("vpc-id = 'ä' and and", "expected a field, 'not' or '(' at column 18, found 'and'"),
        (&deep, "more than 100 parentheses and 'not's within each other at column 101"),
        (&nots, "more than 100 parentheses and 'not's within each other at column 401"),
    ] {
        let found = Condition::parse(condition).expect_err(condition);
        assert_eq!(found.to_string(), error, "{condition}");
        assert!(error.contains(&format!("at column {}", found.column())), "{condition}");
    }
}

#[test]
fn a_format_must_have_the_fields() {
    let condition = Condition::parse("tcp-flags = syn and bytes > 1 or tcp_flags = fin|SYN").unwrap();
    assert_eq!(condition.fields(), [Field::TcpFlags, Field::Bytes]);
    let format = LogFormat::parse("${tcp-flags} ${bytes}").unwrap();
    let holds = |line| condition.bind(&format).unwrap().matches(&parse_line(&format, 1, line).unwrap());
    assert_eq!(["2 5", "2 1", "3 1", "18 5"].map(holds), [true, false, true, false]);
    let format = LogFormat::parse("${srcaddr} ${bytes}").unwrap();
    assert_eq!(
        condition.bind(&format).unwrap_err().to_string(),
        "the records have no field 'tcp-flags'; they have: srcaddr bytes"
    );
}

#[test]
fn the_literal_is_what_every_matching_line_contains() {
    for (condition, literal) in [
        ("action = reject", Some("REJECT")),
        ("dstport = 22 and action = REJECT", Some("REJECT")),
        ("srcaddr = 10.0.0.5 and (bytes > 5 or bytes is null)", Some("10.0.0.5")),
        ("srcaddr in 10.0.0.0/8", None),
        ("dstaddr = 2001:db8::1", None),
        ("interface-id like '*-0abc*1'", Some("-0abc")),
        ("action in (REJECT, ACCEPT)", None),
        ("action != REJECT", None),
        ("action = REJECT or dstport = 22", None),
        ("bytes >= 5", None),
        ("action is null", None),
    ] {
        assert_eq!(Condition::parse(condition).unwrap().literal().as_deref(), literal, "{condition}");
    }
}

/// The slow, obvious way: a test of a line's value as text.
#[derive(Debug, Clone)]
enum Naive {
    Test { field: Field, test: String, holds: Holds, values: Vec<String> },
    All(Vec<Naive>),
    Any(Vec<Naive>),
    Not(Box<Naive>),
}

impl Naive {
    fn text(&self) -> String {
        let join = |parts: &[Self], word: &str| {
            let parts = parts.iter().map(|part| format!("({})", part.text()));
            parts.collect::<Vec<_>>().join(word)
        };
        match self {
            Self::Test { field, test, values, .. } => {
                format!("{} {}", field.column(), test.replace("{}", &values.join(", ")))
            }
            Self::All(parts) => join(parts, " and "),
            Self::Any(parts) => join(parts, " or "),
            Self::Not(part) => format!("not ({})", part.text()),
        }
    }

    fn holds(&self, format: &LogFormat, line: &str) -> bool {
        match self {
            Self::Test { field, holds, values, .. } => {
                holds(line.split(' ').nth(format.position(*field).unwrap()).unwrap(), values)
            }
            Self::All(parts) => parts.iter().all(|part| part.holds(format, line)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(format, line)),
            Self::Not(part) => !part.holds(format, line),
        }
    }
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// Whether the first bits of two IPv4 addresses are equal.
fn in_network(address: &str, network: &str) -> bool {
    let bits = |text: &str| -> Option<String> {
        let bytes: Option<Vec<u8>> = text.split('.').map(|byte| byte.parse().ok()).collect();
        Some(bytes?.iter().map(|byte| format!("{byte:08b}")).collect())
    };
    let (network, length) = network.split_once('/').unwrap_or((network, "32"));
    let length: usize = length.parse().unwrap();
    bits(address).is_some_and(|address| address[..length] == bits(network).unwrap()[..length])
}

type Holds = fn(&str, &[String]) -> bool;

fn tests<const N: usize>(tests: [(&'static str, Holds); N]) -> impl Strategy<Value = (&'static str, Holds)> {
    prop::sample::select(tests.to_vec())
}

fn naive() -> impl Strategy<Value = Naive> {
    let on_number = (
        prop_oneof![Just(Field::DstPort), Just(Field::Bytes), Just(Field::Protocol), Just(Field::End)],
        tests([
            ("= {}", |v, n| v == n[0]),
            ("!= {}", |v, n| v != n[0]),
            ("< {}", |v, n| number(v).is_some_and(|v| v < number(&n[0]).unwrap())),
            ("<= {}", |v, n| number(v).is_some_and(|v| v <= number(&n[0]).unwrap())),
            ("> {}", |v, n| number(v).is_some_and(|v| v > number(&n[0]).unwrap())),
            (">= {}", |v, n| number(v).is_some_and(|v| v >= number(&n[0]).unwrap())),
            ("is null", |v, _| v == "-"),
        ]),
        0..8_u8,
    )
        .prop_map(|(field, (test, holds), number)| (field, test, holds, vec![number.to_string()]));
    let on_numbers = (
        prop_oneof![Just(Field::DstPort), Just(Field::Bytes)],
        tests([
            ("in ({})", |v, n| n.iter().any(|n| n == v)),
            ("not in ({})", |v, n| n.iter().all(|n| n != v)),
        ]),
        prop::collection::vec("[0-7]", 1..4),
    )
        .prop_map(|(field, (test, holds), numbers)| (field, test, holds, numbers));
    let on_address = (
        prop_oneof![Just(Field::SrcAddr), Just(Field::DstAddr)],
        tests([
            ("in ({})", |v, n| n.iter().any(|n| in_network(v, n))),
            ("not in ({})", |v, n| !n.iter().any(|n| in_network(v, n))),
        ]),
        prop::collection::vec("10\\.[01]\\.0\\.[0-3]/(8|1[5-7]|3[0-2])|10\\.[01]\\.0\\.[0-3]", 1..3),
    )
        .prop_map(|(field, (test, holds), networks)| (field, test, holds, networks));
    let on_text = (
        prop_oneof![Just(Field::InterfaceId), Just(Field::SrcAddr), Just(Field::AccountId)],
        tests([
            ("like '{}'", |v, n| v != "-" && glob(&n[0], v)),
            ("not like '{}'", |v, n| v == "-" || !glob(&n[0], v)),
        ]),
        "(eni-|10\\.|1|\\*|\\*\\*){1,2}[0-3]?\\*?",
    )
        .prop_map(|(field, (test, holds), text)| (field, test, holds, vec![text]));
    let on_action = tests([
        ("= REJECT", |v, _| v == "REJECT"),
        ("!= reject", |v, _| v != "REJECT"),
        ("is not null", |v, _| v != "-"),
    ])
    .prop_map(|(test, holds)| (Field::Action, test, holds, Vec::new()));
    let leaf = prop_oneof![on_number, on_numbers, on_address, on_text, on_action]
        .prop_map(|(field, test, holds, values)| Naive::Test { field, test: test.to_owned(), holds, values });
    leaf.prop_recursive(3, 8, 3, |inner| {
        let parts = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            parts.clone().prop_map(Naive::All),
            parts.prop_map(Naive::Any),
            inner.prop_map(|part| Naive::Not(Box::new(part))),
        ]
    })
}

fn glob(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => (0..=text.len()).any(|at| glob(&pattern[1..], &text[at..])),
        Some(c) => text.strip_prefix(c).is_some_and(|rest| glob(&pattern[1..], rest)),
    }
}

fn line() -> impl Strategy<Value = String> {
    let address = "10\\.[01]\\.0\\.[0-3]|2001:db8::[1-3]|-";
    let numbers = prop::collection::vec("[0-7]|-", 5);
    (address, address, "eni-[0-3]", numbers, "[0-7]", "ACCEPT|REJECT|-").prop_map(
        |(src, dst, interface, numbers, end, action)| {
            format!("2 1 {interface} {src} {dst} {} 0 {end} {action} OK", numbers.join(" "))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_ways_agree(naive in naive(), lines in prop::collection::vec(line(), 0..70)) {
        let text = naive.text();
        let format = LogFormat::default();
        let condition = Condition::parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        let bound = condition.bind(&format).unwrap();
        for line in &lines {
            let expected = naive.holds(&format, line);
            let record = parse_line(&format, 1, line).unwrap();
            prop_assert_eq!(bound.matches(&record), expected, "{} on {}", text, line);
            prop_assert_eq!(condition.holds(|field| record.get(field).unwrap()), expected);
            if let Some(literal) = condition.literal() {
                prop_assert!(!expected || line.contains(&literal), "{} on {}", text, line);
            }
        }
        #[cfg(feature = "columns")]
        {
            let block: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let read = crate::columns::Reader::new(format.clone(), &condition.fields()).push_block(block.as_bytes());
            let mask = condition.mask(&read.batch).unwrap();
            let expected: Vec<Option<bool>> = lines.iter().map(|line| Some(naive.holds(&format, line))).collect();
            prop_assert_eq!(mask.iter().collect::<Vec<_>>(), expected, "{}", text);
        }
    }

    #[test]
    fn no_text_breaks_the_parser(text in "(bytes|srcaddr|action|and|or|not|in|like|is|null|[ ()',\"=<>!&|*0-9./-]){0,12}") {
        let _ = Condition::parse(&text);
    }
}

#[cfg(feature = "columns")]
#[test]
fn a_mask_needs_the_columns() {
    let reader =
        |fields: &[Field]| crate::columns::Reader::new(LogFormat::default(), fields).push_block(b"").batch;
    let condition = Condition::parse("bytes > 5 and action = REJECT").unwrap();
    let error = condition.mask(&reader(&[Field::Bytes])).unwrap_err();
    assert_eq!(error.to_string(), "the batch has no column 'action'");
    assert_eq!(condition.mask(&reader(&[Field::Action, Field::Bytes])).unwrap().len(), 0);
}
