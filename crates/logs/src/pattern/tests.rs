use super::oracle::{self, Expression, Field, Step, Test};
use super::*;
use proptest::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Case {
    pattern: String,
    message: String,
    #[serde(rename = "match")]
    matches: bool,
    /// `None`: nothing is said about it.
    extracted: Option<BTreeMap<String, String>>,
}

#[test]
fn every_case_of_the_specification() {
    let cases = include_str!("../../tests/data/filter-pattern-cases.jsonl");
    let mut count = 0;
    for line in cases.lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let pattern =
            Pattern::parse(&case.pattern).unwrap_or_else(|error| panic!("{line}\n{}", error.explain()));
        assert_eq!(pattern.matches(&case.message), case.matches, "{line}");
        let extracted = pattern.extract(&case.message);
        assert_eq!(extracted.is_some(), case.matches, "{line}");
        if let (Some(extracted), Some(expected)) = (extracted, case.extracted) {
            assert_eq!(BTreeMap::from_iter(extracted), expected, "{line}");
        }
        if let Some(literal) = pattern.literal().filter(|_| case.matches) {
            assert!(case.message.contains(literal), "{line}");
        }
        count += 1;
    }
    assert_eq!(count, 212);
}

fn check(pattern: &str, message: &str, expected: bool) {
    let pattern = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {}", error.explain()));
    assert_eq!(pattern.matches(message), expected, "{} on {message}", pattern.as_str());
}

#[test]
fn terms() {
    for (pattern, message, expected) in [
        ("-ERROR", "all well", true),
        ("-ERROR", "an ERROR", false),
        ("-%^a%", "ba", true),
        ("?a -b", "c", true),
        ("a.b", "xa.by", true),
        ("100%", "at 100%", true),
        (r#""say \"no\"""#, r#"they say "no""#, true),
        (r#""C:\dir""#, r"in C:\dir", true),
        ("  \t ", "anything", true),
        ("ERROR \" \"", "ERROR", true),
        ("-\" \"", "one", true),
        ("-\" \"", "one two", false),
        ("%OK$%", "REJECT OK\r\n", true),
        ("ä", "Bär", true),
    ] {
        check(pattern, message, expected);
    }
}

#[test]
fn json() {
    let event = r#"{"n": 400, "s": "400", "f": 1.50, "t": true, "z": null, "o": {"a-b_c": [1, [2, "x\u0041"]]},
        "k.l": "dot", "big": 18446744073709551615}"#;
    for (pattern, expected) in [
        ("{ $.n = 400 }", true),
        ("{ $.n = 400.0 }", true),
        ("{ $.n = \"400\" }", true),
        ("{ $.n = \"400.0\" }", false),
        ("{ $.s = 400 }", true),
        ("{ $.s > 1 }", false),
        ("{ $.n > \"399\" }", true),
        ("{ $.f = \"1.5\" }", true),
        ("{ $.f = %^1[.]5$% }", true),
        ("{ $.t = true }", true),
        ("{ $.t != false }", true),
        ("{ $.t IS FALSE || $.t IS TRUE }", true),
        ("{ $.z = * }", false),
        ("{ $.z != 1 }", false),
        ("{ $.z IS NULL }", true),
        ("{ $.none IS NULL }", false),
        ("{ $.none != 1 }", false),
        ("{ $.none NOT EXISTS }", true),
        ("{ $.o NOT EXISTS }", false),
        ("{ $.o != 1 }", false),
        ("{ $.o.a-b_c[0] = 1 }", true),
        ("{ $.o.a-b_c[1][1] = xA }", true),
        ("{ $.o.*[0] = 1 && $.o.a-b_c[*] = 1 && $.o.a-b_c[1][*] = 2 }", true),
        ("{ $.o['a-b_c'][0] = 1 }", true),
        ("{ $.['k.l'] = dot }", true),
        ("{ $.big = 18446744073709551615 }", true),
        ("{ $.big = 18446744073709551614 }", false),
        ("{$.n=400&&($.s=4*||$.s=5)}", true),
        ("{ $.* = dot }", true),
        ("{ $.n = -400 || $.n = +400 }", true),
    ] {
        check(pattern, event, expected);
    }
    for (pattern, message, expected) in [
        ("{ $[1] = 2 }", "[1, 2]", true),
        ("{ $[*].a = 2 }", "[{\"a\": 1}, {\"a\": 2}]", true),
        ("{ $.a NOT EXISTS }", "42", false),
        ("{ $.a NOT EXISTS }", "{} {}", false),
        ("{ $.a NOT EXISTS }", "{\"b\": }", false),
        ("{ $.a = 1 }", "{\"a\": 1}\n", true),
        ("{ $.a = 1 }", "x {\"a\": 1}", false),
        ("{ $.a = 1 }", "{\"a\": 1, \"b\": 01}", false),
        ("{ $.a < 1 }", "{\"a\": -5e-324}", true),
        ("{ $.a = \"*5\" }", "{\"a\": -5e-324}", true),
    ] {
        check(pattern, message, expected);
    }
}

#[test]
fn space_delimited() {
    for (pattern, message, expected) in [
        ("[]", "", true),
        ("[...]", "", true),
        ("[a]", "", false),
        ("[ , ]", "one", false),
        ("[,]", "one two three", true),
        ("[a, ..., z]", "one", false),
        ("[a=one, ..., z=two]", "one two", true),
        ("[..., a=one]", "one two", false),
        ("[a=22]", "22.0", true),
        ("[a=\"22\"]", "22.0", false),
        ("[a!=22]", "-", true),
        ("[a<=22]", "-", false),
        ("[a=\"two words\"]", "\"two words\"", true),
        ("[a, b=\"two  words\"]", "one two  words \t", true),
        ("[a, b=\"[two] words\"]", "one [two] words", true),
        ("[a, b=two]", "one\t \ttwo\n", true),
        ("[a=[x]", "[x", true),
        ("[a=1, b]", "[1]\"2\"", true),
        ("[a=x && a=y || a=z]", "z", true),
        ("[a=x && a=y || a=z]", "x", false),
        ("[user-agent = %^curl/[78]%, rest]", "curl/8.1 a b", true),
        ("[a = 5 || a=\"-\"]", "-", true),
    ] {
        check(pattern, message, expected);
    }
}

#[test]
fn extracted_values_come_in_the_order_of_the_line() {
    for (pattern, message, expected) in [
        ("[a, b]", "1 2  3 [4] ", "$a=1 $b=2  3 [4]"),
        ("[a, b]", "1 [2 3]", "$a=1 $b=2 3"),
        ("[a,]", "1 2 3", "$a=1 $2=2 $3=3"),
        ("[, b]", "1 2 3", "$1=1 $b=2 3"),
        ("[a, ..., z]", "1 2 3", "$a=1 $2=2 $z=3"),
        ("[a, ..., z]", "1 2", "$a=1 $z=2"),
        ("[a, ...]", "1 2", "$a=1 $2=2"),
        ("one", "one two", ""),
    ] {
        let extracted = Pattern::parse(pattern).unwrap().extract(message).unwrap();
        let extracted: Vec<String> = extracted.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(extracted.join(" "), expected, "{pattern} {message}");
    }
    assert_eq!(Pattern::parse("[a, b]").unwrap().extract("1"), None);
}

#[test]
fn mistakes_have_the_texts_of_aws_and_name_the_place() {
    let long = "a".repeat(1025);
    let deep = format!("{{ {}", "(".repeat(1000));
    for (pattern, text, explained) in [
        ("{ $.a = 1", "Invalid filter pattern", "column 10: expected '}', found the end"),
        ("{ a = 1 }", "Invalid filter pattern", "column 3: expected a selector such as $.name, found 'a'"),
        ("{ $ = 1 }", "Invalid filter pattern", "column 4: expected '.' or '[', found ' '"),
        ("{ $.a ~ 1 }", "Invalid filter pattern", "column 7: expected =, !=, <, <=, > or >=, found '~'"),
        ("{ $.a = }", "Invalid filter pattern", "column 9: expected a value, found '}'"),
        (
            "{ $.a < b }",
            "Invalid filter pattern",
            "column 9: expected a number after <, <=, > or >=, found 'b'",
        ),
        ("{ $.a IS NOT NULL }", "Invalid filter pattern", "expected NULL, TRUE or FALSE after IS"),
        ("{ $.a EXISTS }", "Invalid filter pattern", "column 7: expected ="),
        ("{ $.*.* = 1 }", "Invalid filter pattern", "column 3: more than one wildcard in a selector"),
        (
            "{ $.* = 1 && $.* = 1 && $.* = 1 && $.* = 1 }",
            "Invalid filter pattern",
            "column 36: more than 3 wildcards in selectors",
        ),
        ("{ $.a = 1 } x", "Invalid filter pattern", "column 13: expected the end, found 'x'"),
        ("[a=%a%, b=%b%, c=%c%]", "Invalid filter pattern", "column 18: more than 2 regular expressions"),
        ("[a", "Invalid filter pattern", "column 3: expected =, !="),
        ("[a=1 b]", "Invalid filter pattern", "column 6: expected ',' or ']', found 'b'"),
        ("[a b]", "Invalid filter pattern", "column 4: expected =, !="),
        ("[..., ...]", "Invalid filter pattern", "column 7: '...' stands twice"),
        ("[=1]", "Invalid filter pattern", "column 2: expected a field name, found '='"),
        ("[a=1 || b=2]", "Invalid filter pattern", "conditions of one field need one name: 'a', not 'b'"),
        ("[a>%b%]", "Invalid filter pattern", "column 4: a regular expression needs = or !="),
        ("[a=%b{%]", "Invalid filter pattern", "column 4: a '{' is not closed"),
        ("[a]b", "Invalid filter pattern", "column 4: expected the end, found 'b'"),
        ("ERROR -", "Invalid filter pattern", "column 8: expected a term, found the end"),
        ("\"open", "Invalid filter pattern", "column 1: the quote is not closed"),
        ("a %open", "Invalid filter pattern", "column 3: the regular expression has no closing '%'"),
        ("%%", "Invalid filter pattern", "column 1: the regular expression is empty"),
        ("\"a\"b", "Invalid filter pattern", "column 4: expected a blank between terms, found 'b'"),
        ("%a(b)%", "Invalid character(s) in term '%a(b)%'", "write that as \\xHH"),
        ("ä %é%", "Invalid character(s) in term '%é%'", "column 3"),
        ("say\"no\"", "Invalid character(s) in term 'say\"no\"'", "in double quotes"),
        (&long, "Invalid filter pattern", "the pattern is longer than 1024 characters"),
        (&deep, "Invalid filter pattern", "more than 64 parentheses within each other"),
    ] {
        let error = Pattern::parse(pattern).expect_err(pattern);
        assert_eq!(error.to_string(), text, "{pattern}");
        assert!(error.explain().contains(explained), "{pattern}: {}", error.explain());
    }
}

#[test]
fn the_literal_is_what_every_match_contains() {
    for (pattern, expected) in [
        ("[..., action=\"REJECT\", status]", Some("REJECT")),
        ("[a=10.0.*, ..., action=REJECT || action=ACCEPT, status!=NODATA]", Some("10.0.")),
        ("[a=22, b > 5, c=%x%]", None),
        ("[a=\"22\"]", Some("22")),
        ("[a=*, b=\"\"]", None),
        ("\"REJECT OK\" 22 -x", Some("REJECT OK")),
        ("?NODATA ?SKIPDATA", None),
        ("?NODATA", Some("NODATA")),
        ("%a%", None),
        ("\"two\nlines\"", None),
        ("{ $.a = \"text\" }", None),
        ("", None),
    ] {
        assert_eq!(Pattern::parse(pattern).unwrap().literal(), expected, "{pattern}");
    }
    for (pattern, everything) in [("", true), ("\" \"", true), ("[]", true), ("[...]", true), ("[a]", false)]
    {
        assert_eq!(Pattern::parse(pattern).unwrap().matches_everything(), everything, "{pattern}");
    }
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof!["[ab]{1,3}", "-?[0-2]{1,2}(\\.[05])?", "[ab1]{0,2}\\*[ab1]{0,2}", Just("-".to_owned())]
}

fn test() -> impl Strategy<Value = Test> {
    let equal = (prop_oneof![Just("="), Just("!=")], word(), any::<bool>())
        .prop_map(|(operator, value, quoted)| Test { operator, value, quoted });
    let order = (prop_oneof![Just("<"), Just("<="), Just(">"), Just(">=")], "-?[0-2](\\.5)?", any::<bool>())
        .prop_map(|(operator, value, quoted)| Test { operator, value, quoted });
    prop_oneof![2 => equal, 1 => order]
}

fn space() -> impl Strategy<Value = oracle::Pattern> {
    let groups = prop::collection::vec(prop::collection::vec(test(), 1..3), 0..3);
    let field = prop_oneof![
        1 => Just(Field::Unnamed),
        4 => ("[a-z][a-z_-]{0,4}", groups).prop_map(|(name, groups)| Field::Named(name, groups)),
    ];
    (prop::collection::vec(field, 1..5), prop::option::of(0..5_usize)).prop_map(|(mut fields, ellipsis)| {
        if let Some(at) = ellipsis {
            fields.insert(at.min(fields.len()), Field::Ellipsis);
        } else if matches!(fields.as_slice(), [Field::Unnamed]) {
            // `[]` does not mean one unnamed field.
            fields.push(Field::Unnamed);
        }
        oracle::Pattern::Space(fields)
    })
}

/// Few keys and few values, so that selectors meet what they look for.
fn json_pattern() -> impl Strategy<Value = oracle::Pattern> {
    let member = prop_oneof![3 => Just("a"), 2 => Just("b"), 1 => Just("c.d")];
    let member = member.prop_map(|key| Step::Member(key.to_owned()));
    let plain = prop_oneof![2 => member, 1 => (0..2_usize).prop_map(Step::Element)];
    let wild = prop_oneof![Just(Step::AnyMember), Just(Step::AnyElement)];
    let steps = prop_oneof![
        2 => prop::collection::vec(plain.clone(), 1..3),
        1 => (prop::collection::vec(plain, 0..2), 0..2_usize, wild).prop_map(|(mut steps, at, step)| {
            steps.insert(at.min(steps.len()), step);
            steps
        }),
    ];
    let test = prop_oneof![
        2 => (prop_oneof![Just("="), Just("!=")], "[12]|[ab]|1\\*|\\*b|\\*|true", any::<bool>())
            .prop_map(|(operator, value, quoted)| Test { operator, value, quoted }),
        1 => test(),
    ];
    let leaf = prop_oneof![
        6 => (steps.clone(), test).prop_map(|(steps, test)| Expression::Compare(steps, test)),
        1 => steps.clone().prop_map(Expression::IsNull),
        1 => (steps.clone(), any::<bool>()).prop_map(|(steps, is)| Expression::Is(steps, is)),
        1 => steps.prop_map(Expression::NotExists),
    ];
    let expression = leaf.prop_recursive(2, 6, 3, |inner| {
        let parts = prop::collection::vec(inner, 2..4);
        prop_oneof![parts.clone().prop_map(Expression::All), parts.prop_map(Expression::Any)]
    });
    expression.prop_map(oracle::Pattern::Json)
}

fn json_event() -> impl Strategy<Value = String> {
    use serde_json::{Value, json};
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        4 => (1..13_i64).prop_map(|number| json!(number)),
        1 => (-3..25_i64).prop_map(|half| json!(half as f64 + 0.5)),
        4 => "[ab12]|ab|\"\n".prop_map(Value::String),
    ];
    let object_of = |value: BoxedStrategy<Value>| {
        let key = prop_oneof![3 => Just("a"), 3 => Just("b"), 2 => Just("c.d"), 1 => Just("e\"\n")];
        prop::collection::btree_map(key, value, 1..4).prop_map(|object| json!(object))
    };
    let value = leaf.prop_recursive(2, 12, 3, move |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            3 => object_of(inner.boxed()),
        ]
    });
    let root = prop_oneof![
        6 => object_of(value.clone().boxed()),
        3 => prop::collection::vec(value.clone(), 0..4).prop_map(Value::Array),
        1 => value,
    ];
    root.prop_map(|value| value.to_string())
}

fn agree(pattern: &oracle::Pattern, message: &str, blank: &str) -> Result<(), TestCaseError> {
    let text = pattern.text(blank);
    let compiled = Pattern::parse(&text)
        // The oracle does not count wildcards.
        .or_else(|error| if error.explain().contains("wildcards") { Pattern::parse("") } else { Err(error) });
    let compiled = compiled.map_err(|error| TestCaseError::fail(format!("{text}: {}", error.explain())))?;
    if compiled.as_str() == text {
        prop_assert_eq!(compiled.matches(message), pattern.matches(message), "{} on {}", text, message);
        prop_assert_eq!(compiled.extract(message).is_some(), compiled.matches(message));
        if let Some(literal) = compiled.literal() {
            prop_assert!(message.contains(literal) || !compiled.matches(message));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn terms_agree_with_the_oracle(
        terms in prop::collection::vec((prop_oneof![Just(' '), Just('?'), Just('-')], "[ab][ab ]{0,2}"), 1..4),
        message in "[ab ]{0,6}",
    ) {
        agree(&oracle::Pattern::Terms(terms), &message, " ")?;
    }

    #[test]
    fn space_delimited_agrees_with_the_oracle(
        pattern in space(),
        message in "([ab12.-]{0,3}|[ \t]|\\[[ab ]{0,3}\\]|\"[ab1 ]{0,3}\"|[\"\\[]){0,8}",
        blank in " ?",
    ) {
        agree(&pattern, &message, &blank)?;
    }

    #[test]
    fn space_delimited_agrees_on_plain_lines(
        pattern in space(), message in prop::collection::vec("[ab]{1,2}|-?[0-2](\\.[05])?|-", 1..6), blank in " ?",
    ) {
        agree(&pattern, &message.join(" "), &blank)?;
    }

    #[test]
    fn json_agrees_with_the_oracle(pattern in json_pattern(), message in json_event(), blank in " ?") {
        agree(&pattern, &message, &blank)?;
    }

    #[test]
    fn no_text_breaks_the_parser(pattern in "[\\[{(?%\"$. a=<>!*&|,0-9\\])}\\\\ISNULOT-]{0,30}", message in ".{0,20}") {
        if let Ok(pattern) = Pattern::parse(&pattern) {
            prop_assert_eq!(pattern.extract(&message).is_some(), pattern.matches(&message));
        }
    }
}
