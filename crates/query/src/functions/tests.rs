//! Each function against what Trino gives, worked out by hand.

use crate::athena::testing::one;

fn check(wrong: &mut Vec<String>, sql: &str, expected: &str) {
    let found = one(sql);
    if found != expected {
        wrong.push(format!("{sql}: {found}, not {expected}"));
    }
}

#[test]
fn functions_by_hand() {
    let mut wrong = Vec::new();
    for (sql, expected) in [
        // Dates and times.
        ("from_unixtime(1620140661)", "2021-05-04 15:04:21.000 UTC"),
        ("from_unixtime(1620140661.5)", "2021-05-04 15:04:21.500 UTC"),
        ("to_iso8601(from_unixtime(1620140661))", "2021-05-04T15:04:21.000Z"),
        ("to_iso8601(DATE '2021-05-04')", "2021-05-04"),
        ("to_unixtime(from_unixtime(1620140661))", "1.620140661E9"),
        ("DATE('2021-05-04')", "2021-05-04"),
        ("day_of_week(DATE '2021-05-04')", "2"),
        ("dow(DATE '2021-05-09')", "7"),
        ("day_of_year(DATE '2021-02-01')", "32"),
        ("year(DATE '2021-05-04') * 100 + month(DATE '2021-05-04')", "202105"),
        ("hour(from_unixtime(1620140661))", "15"),
        ("date_trunc('hour', from_unixtime(1620140661))", "2021-05-04 15:00:00.000 UTC"),
        (
            "date_format(from_unixtime(1620140661), '%Y-%m-%d %H:%i:%s %p %M %j')",
            "2021-05-04 15:04:21 PM May 124",
        ),
        ("date_parse('2021-05-04 03:04:21 PM', '%Y-%m-%d %h:%i:%s %p')", "2021-05-04 15:04:21.000"),
        ("date_parse('2021/05/04', '%Y/%m/%d')", "2021-05-04 00:00:00.000"),
        (
            "parse_datetime('2021-05-04T15:04:21+02:00', 'yyyy-MM-dd''T''HH:mm:ssZ')",
            "2021-05-04 13:04:21.000 UTC",
        ),
        ("format_datetime(from_unixtime(0), 'EEE dd MMM yyyy HH:mm')", "Thu 01 Jan 1970 00:00"),
        ("from_iso8601_timestamp('2021-05-04T15:04:21Z')", "2021-05-04 15:04:21.000 UTC"),
        ("date_add('month', 1, DATE '2021-01-31')", "2021-02-28"),
        ("date_add('hour', -1, from_unixtime(0))", "1969-12-31 23:00:00.000 UTC"),
        ("date_diff('day', DATE '2021-01-01', DATE '2021-03-01')", "59"),
        ("date_diff('month', DATE '2021-01-31', DATE '2021-02-28')", "1"),
        ("DATE '2021-05-04' - interval '7' day", "2021-04-27"),
        ("human_readable_seconds(3661)", "1 hour, 1 minute, 1 second"),
        // Texts.
        ("split_part('10.117.1.22', '.', 2)", "117"),
        ("split_part('a.b', '.', 3)", "NULL"),
        ("split('a,b,c', ',')", "[a, b, c]"),
        ("cardinality(split('a,b,c', ','))", "3"),
        ("element_at(ARRAY[1, 2], 2)", "2"),
        ("substr('abc', -2)", "bc"),
        ("substr('abc', 0)", ""),
        ("substring('abcdef', 2, 3)", "bcd"),
        ("concat('a', 'b', 'c')", "abc"),
        ("concat('a', NULL)", "NULL"),
        ("'a' || 'b'", "ab"),
        ("regexp_extract('eni-12ab', 'eni-(\\d+)', 1)", "12"),
        ("regexp_extract('x', '\\d')", "NULL"),
        ("regexp_replace('10.0.0.1', '\\.(\\d)', '-$1')", "10-0-0-1"),
        ("regexp_like('REJECT', '^REJ')", "true"),
        ("strpos('abc', 'c')", "3"),
        ("codepoint('A')", "65"),
        ("json_extract_scalar('{\"a\":[1,{\"b\":\"x\"}]}', '$.a[1].b')", "x"),
        ("url_extract_host('https://u@h.example:8080/p?q=1')", "h.example"),
        ("lower(trim('  AbC '))", "abc"),
        // Numbers and conditions.
        ("7 / 2", "3"),
        ("7 % 3", "1"),
        ("mod(7, 3)", "1"),
        ("bitwise_and(6, 3)", "2"),
        ("greatest(1, 3, 2)", "3"),
        ("greatest(1, NULL, 3)", "NULL"),
        ("if(1 > 2, 'a', 'b')", "b"),
        ("if(1 > 2, 'a')", "NULL"),
        ("try(CAST('x' AS bigint))", "NULL"),
        ("try(1 / 0)", "NULL"),
        ("try_cast('12' AS integer)", "12"),
        ("CAST(12 AS varchar)", "12"),
        ("coalesce(NULL, 5)", "5"),
        ("CAST(1 AS double)", "1.0"),
        ("from_base('ff', 16)", "255"),
        ("typeof(CAST(1 AS bigint))", "bigint"),
        ("round(2.5)", "3.0"),
        // Arrays, maps, rows, functions of functions.
        ("transform(ARRAY[1, 2], x -> x * 10)", "[10, 20]"),
        ("filter(ARRAY[22, 80, 443], port -> port < 100)", "[22, 80]"),
        ("any_match(ARRAY['a', 'b'], Item -> item = 'b')", "true"),
        ("all_match(ARRAY[1, 2], x -> x > 1)", "false"),
        ("none_match(ARRAY[1, 2], x -> x > 2)", "true"),
        ("array_join(ARRAY[1, 2], '-')", "1-2"),
        ("array_max(ARRAY[1, 3, 2])", "3"),
        ("array_sort(array_distinct(ARRAY[2, 1, 2]))", "[1, 2]"),
        ("array_remove(ARRAY[1, 2, 1], 1)", "[2]"),
        ("arrays_overlap(ARRAY[1, 2], ARRAY[2, 3])", "true"),
        ("sequence(1, 3)", "[1, 2, 3]"),
        ("flatten(ARRAY[ARRAY[1], ARRAY[2]])", "[1, 2]"),
        ("MAP(ARRAY['a', 'b'], ARRAY[1, 2])", "{a=1, b=2}"),
        ("element_at(MAP(ARRAY['a', 'b'], ARRAY[1, 2]), 'b')", "2"),
        ("element_at(MAP(ARRAY['a'], ARRAY[1]), 'z')", "NULL"),
        ("map_keys(MAP(ARRAY['a', 'b'], ARRAY[1, 2]))", "[a, b]"),
        ("map_values(MAP(ARRAY['a', 'b'], ARRAY[1, 2]))", "[1, 2]"),
        ("cardinality(MAP(ARRAY['a', 'b'], ARRAY[1, 2]))", "2"),
        ("CAST(ROW(1, 'x') AS ROW(id bigint, name varchar))", "{id=1, name=x}"),
        ("CAST(ARRAY[1, 2] AS ARRAY(varchar))", "[1, 2]"),
        ("CAST(ROW(1, ARRAY[2]) AS ROW(a bigint, b ARRAY(double)))", "{a=1, b=[2.0]}"),
        // Addresses.
        ("contains('10.0.0.0/8', CAST('10.1.2.3' AS IPADDRESS))", "true"),
        ("contains('10.0.0.0/8', IPADDRESS '11.1.2.3')", "false"),
        ("contains('2001:db8::/32', TRY_CAST('-' AS IPADDRESS))", "NULL"),
        ("contains(ARRAY[22, 3389], 22)", "true"),
        ("ip_prefix(CAST('10.1.2.3' AS IPADDRESS), 16)", "10.1.0.0/16"),
        ("ip_subnet_max('10.1.0.0/16')", "10.1.255.255"),
        ("is_subnet_of('10.0.0.0/8', '10.1.0.0/16')", "true"),
        ("CAST('2001:DB8::0:1' AS IPADDRESS)", "2001:db8::1"),
        ("CAST(IPADDRESS '10.0.0.1' AS varchar)", "10.0.0.1"),
    ] {
        check(&mut wrong, &format!("SELECT {sql}"), expected);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn aggregates_by_hand() {
    let rows = "(VALUES ('a', 1), ('b', 5), ('c', NULL), ('d', 3)) AS t(name, n)";
    let mut wrong = Vec::new();
    for (sql, expected) in [
        ("count_if(n > 1)", "2"),
        ("max_by(name, n)", "b"),
        ("min_by(name, n)", "a"),
        ("approx_distinct(name)", "4"),
        ("approx_percentile(n, 0.5)", "3.0"),
        ("arbitrary(n) IS NOT NULL", "true"),
        ("sum(n)", "9"),
        ("avg(n)", "3.0"),
        ("count(*) FILTER (WHERE n IS NULL)", "1"),
        ("every(n < 9)", "true"),
        ("cardinality(array_agg(name))", "4"),
        ("map_agg(name, n)", "{a=1, b=5, c=null, d=3}"),
        ("histogram(n > 1)", "{false=1, true=2}"),
    ] {
        check(&mut wrong, &format!("SELECT {sql} FROM {rows}"), expected);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_fails_says_why() {
    let mut wrong = Vec::new();
    for (sql, expected) in [
        ("SELECT 1 / 0", "DIVISION_BY_ZERO: Division by zero"),
        ("SELECT CAST('-' AS IPADDRESS)", "INVALID_FUNCTION_ARGUMENT: Cannot cast value to IPADDRESS: -"),
        ("SELECT nosuch(1)", "FUNCTION_NOT_FOUND: line 1:8: Function 'nosuch' not registered"),
        ("SELECT x FROM (VALUES (1)) AS t(y)", "COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved"),
        (
            "SELECT 1 FROM nowhere",
            "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.default.nowhere' does not exist",
        ),
        (
            "SELECT date_format(now(), '%U')",
            "INVALID_FUNCTION_ARGUMENT: %U not supported in date format string",
        ),
        (
            "SELECT reduce(ARRAY[1], 0, (s, x) -> s + x, s -> s)",
            "NOT_SUPPORTED: the function reduce with a function as its argument is not supported",
        ),
        (
            "SELECT x FROM (VALUES (ARRAY[1])) AS t(a) LEFT JOIN UNNEST(a) AS u(x) ON true",
            "NOT_SUPPORTED: LEFT JOIN UNNEST is not supported",
        ),
    ] {
        check(&mut wrong, sql, expected);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
