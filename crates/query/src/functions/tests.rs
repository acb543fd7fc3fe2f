//! Each function against what Trino gives, worked out by hand.

use crate::athena::testing::one;
use std::sync::Arc;

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
        ("from_unixtime(0) AT TIME ZONE 'America/New_York'", "1969-12-31 19:00:00.000 America/New_York"),
        ("TIMESTAMP '2024-05-01 10:00:00 America/New_York' = TIMESTAMP '2024-05-01 14:00:00 UTC'", "true"),
        (
            "with_timezone(TIMESTAMP '2024-05-01 00:00:00', 'Asia/Tokyo')",
            "2024-05-01 00:00:00.000 Asia/Tokyo",
        ),
        ("CAST(from_unixtime(0) AS varchar)", "1970-01-01 00:00:00.000 UTC"),
        ("from_unixtime(90061) - from_unixtime(0)", "1 01:01:01.000"),
        ("INTERVAL '7' day", "7 00:00:00.000"),
        ("INTERVAL '-90' second", "-0 00:01:30.000"),
        ("INTERVAL '14' month", "1-2"),
        ("last_day_of_month(DATE '2024-02-01')", "2024-02-29"),
        ("from_unixtime_nanos(1500000000)", "1970-01-01 00:00:01.500 UTC"),
        ("sequence(DATE '2024-01-31', DATE '2024-02-01')", "[2024-01-31, 2024-02-01]"),
        ("localtimestamp > TIMESTAMP '2020-01-01 00:00:00'", "true"),
        ("current_timezone()", "UTC"),
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
        ("regexp_position('1a 2b', '[b-z]')", "5"),
        ("hamming_distance('abc', 'axd')", "2"),
        ("CAST('abc' AS varchar(2)) || CAST('a' AS char(3)) || '.'", "aba  ."),
        ("url_extract_parameter('http://h/p?a=1&b=x%20y#f', 'b')", "x y"),
        ("url_encode('a b&c')", "a+b%26c"),
        ("json_array_length('[1, 2]')", "2"),
        ("json_size('{\"a\": [1, 2, 3]}', '$.a')", "3"),
        ("split_to_map('a=1,b=2', ',', '=')", "{a=1, b=2}"),
        ("to_base64(to_utf8('weir'))", "d2Vpcg=="),
        ("from_utf8(from_base64('d2Vpcg=='))", "weir"),
        ("to_hex(md5(to_utf8('')))", "D41D8CD98F00B204E9800998ECF8427E"),
        ("from_hex('0aFF')", "0a ff"),
        ("crc32(to_utf8('123456789'))", "3421780262"),
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
        ("nan()", "NaN"),
        ("-infinity()", "-Infinity"),
        ("is_finite(1e0 / 0)", "false"),
        ("bit_count(7, 64)", "3"),
        ("bit_count(-1, 8)", "8"),
        ("DECIMAL '12.340'", "12.340"),
        ("typeof(DECIMAL '12.340')", "decimal(5,3)"),
        ("typeof(ARRAY[1.5])", "array(double)"),
        ("typeof(MAP(ARRAY['k'], ARRAY[true]))", "map(varchar, boolean)"),
        ("typeof(CAST(ROW(1, 'x') AS ROW(id integer, name varchar)))", "row(id integer, name varchar)"),
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
        ("ROW(1, 'x')", "{field0=1, field1=x}"),
        ("slice(ARRAY[1, 2, 3, 4], 2, 2)", "[2, 3]"),
        ("slice(ARRAY[1, 2, 3, 4], -2, 2)", "[3, 4]"),
        ("repeat('a', 2)", "[a, a]"),
        // Addresses.
        ("ip_subnet_range(IPPREFIX '10.1.0.0/16')", "[10.1.0.0, 10.1.255.255]"),
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
        ("listagg(name, '+') WITHIN GROUP (ORDER BY name DESC)", "d+c+b+a"),
        ("bitwise_or_agg(n)", "7"),
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
        ("SELECT CAST('a' AS integer)", "INVALID_CAST_ARGUMENT: Cannot cast 'a' to INT"),
        (
            "SELECT CAST('2024-13-01' AS date)",
            "INVALID_CAST_ARGUMENT: Value cannot be cast to date: 2024-13-01",
        ),
        ("SELECT CAST(300 AS tinyint)", "INVALID_CAST_ARGUMENT: Out of range for tinyint: 300"),
        ("SELECT CAST('a' AS nosuch)", "TYPE_NOT_FOUND: line 1:20: Unknown type: nosuch"),
        ("SELECT 1 + 'a'", "TYPE_MISMATCH: Cannot apply operator: bigint + varchar"),
        ("SELECT sum('a')", "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (varchar) for function sum"),
        (
            "SELECT split_part('a')",
            "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (varchar) for function split_part",
        ),
        (
            "SELECT x, count(*) FROM (VALUES 1) t(x)",
            "EXPRESSION_NOT_AGGREGATE: line 1:8: 'x' must be an aggregate expression or appear in GROUP BY clause",
        ),
        ("SELECT 1 ORDER BY 2", "INVALID_COLUMN_REFERENCE: ORDER BY position 2 is not in select list"),
        ("SELECT 1 WHERE 'a'", "TYPE_MISMATCH: WHERE clause must evaluate to a boolean: actual type varchar"),
        ("SELECT *", "COLUMN_NOT_FOUND: SELECT * not allowed in queries without FROM clause"),
        ("SELECT 1 FROM", "SYNTAX_ERROR: line 1:14: mismatched input '<EOF>'. Expecting: <identifier>"),
        ("SELECT (1", "SYNTAX_ERROR: line 1:10: mismatched input '<EOF>'. Expecting: ')'"),
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
            "SELECT regexp_replace('a', 'a', x -> x[1])",
            "NOT_SUPPORTED: the function regexp_replace with a function as its argument is not supported",
        ),
        (
            "SELECT reduce(ARRAY[1], 0, (s, x) -> s + x)",
            "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters for function reduce",
        ),
        (
            "SELECT map_filter(ARRAY[1], (k, v) -> true)",
            "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters (array(bigint), function) for function map_filter",
        ),
        (
            "SELECT 9223372036854775807 + 1",
            "NUMERIC_VALUE_OUT_OF_RANGE: bigint addition overflow: 9223372036854775807 + 1",
        ),
        (
            "SELECT x - 1 FROM (VALUES -9223372036854775808) t(x)",
            "NUMERIC_VALUE_OUT_OF_RANGE: bigint subtraction overflow: -9223372036854775808 - 1",
        ),
        (
            "SELECT x * y FROM (VALUES (1, 1), (9223372036854775807, 2)) t(x, y)",
            "NUMERIC_VALUE_OUT_OF_RANGE: bigint multiplication overflow: 9223372036854775807 * 2",
        ),
        ("SELECT format('%d', 'a')", "INVALID_FUNCTION_ARGUMENT: Invalid format string: d != varchar"),
        (
            "SELECT map_from_entries(ARRAY[(1, 2), (1, 3)])",
            "INVALID_FUNCTION_ARGUMENT: Duplicate map keys are not allowed",
        ),
        ("SELECT 1 FROM nosuch.nowhere", "SCHEMA_NOT_FOUND: line 1:15: Schema 'nosuch' does not exist"),
        (
            "SELECT x FROM (VALUES (ARRAY[1])) AS t(a) LEFT JOIN UNNEST(a) AS u(x) ON x = 1",
            "NOT_SUPPORTED: LEFT JOIN UNNEST needs ON TRUE",
        ),
    ] {
        check(&mut wrong, sql, expected);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn columns_of_results() {
    let mut wrong = Vec::new();
    for (sql, expected) in [
        (
            "SELECT 1, -2, 3000000000, 1.50, 'a', 1e0",
            "integer(10,0) integer(10,0) bigint(19,0) decimal(3,2) varchar(2147483647,0) double(17,0)",
        ),
        ("VALUES 1, 2", "integer(10,0)"),
        ("VALUES ('a', 2)", "varchar(2147483647,0) integer(10,0)"),
        ("SELECT x FROM (VALUES 1, 2) t(x)", "bigint(19,0)"),
        ("SELECT CAST(1.1 AS decimal(10,2)), X'00'", "decimal(10,2) varbinary(1073741824,0)"),
    ] {
        let planned = futures_util::FutureExt::now_or_never(crate::athena::plan(
            Arc::new(crate::athena::testing::World::default()),
            "default",
            sql,
        ));
        let shown = match planned {
            Some(Ok(planned)) => {
                let columns = planned.columns.iter();
                columns
                    .map(|c| format!("{}({},{})", c.data_type, c.precision, c.scale))
                    .collect::<Vec<_>>()
                    .join(" ")
            }
            Some(Err(error)) => error.message,
            None => "it waits".to_owned(),
        };
        if shown != expected {
            wrong.push(format!("{sql}: {shown}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn rows_of_results() {
    let mut wrong = Vec::new();
    for (sql, expected) in [
        ("VALUES 1, 2", "_col0 1 2"),
        ("SELECT x FROM (VALUES 1, (2), 3 + (1 + 0)) t(x) ORDER BY x DESC", "x 4 2 1"),
        ("SELECT * FROM (VALUES 1, 2, 3) t(x) ORDER BY 1 OFFSET 1 ROWS FETCH NEXT ROW ONLY", "x 2"),
        ("SELECT x.y FROM (VALUES (CAST(ROW(1) AS ROW(y integer)))) t(x)", "y 1"),
        ("VALUES (1, 'a') UNION ALL VALUES (2, 'b') ORDER BY 1", "_col0|_col1 1|a 2|b"),
    ] {
        let shown = match crate::athena::testing::rows(Arc::default(), sql) {
            Ok(rows) => rows.join(" "),
            Err(error) => error.message,
        };
        if shown != expected {
            wrong.push(format!("{sql}: {shown}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
