//! What the parser and the engine say is wrong, in Trino's words.
//!
//! Source: Trino's SqlParser, StatementAnalyzer and VarcharOperators, by what
//! they answer.

use super::QueryError;
use super::error::place;
use datafusion::sql::sqlparser::parser::ParserError;
use regex::Regex;

/// `line 1:8: mismatched input 'FROM'. Expecting: <expression>`
pub(super) fn syntax(error: &ParserError, sql: &str) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("sql parser error: ").unwrap_or(&text);
    // `… at Line: 1, Column: 8`
    let (what, place) = match text.rsplit_once(" at Line: ") {
        Some((what, place)) => (what, place.replace(", Column: ", ":")),
        None => (text, end(sql)),
    };
    if let Some((expected, found)) =
        what.strip_prefix("Expected: ").and_then(|rest| rest.split_once(", found: "))
    {
        let found = if found == "EOF" { "<EOF>" } else { found };
        let expected = match expected {
            "identifier" => "<identifier>".to_owned(),
            "an expression" => "<expression>".to_owned(),
            "end of statement" => "<EOF>".to_owned(),
            "an SQL statement" => "<query>".to_owned(),
            several if several.contains(' ') => several.to_owned(),
            one => format!("'{one}'"),
        };
        return format!("line {place}: mismatched input '{found}'. Expecting: {expected}");
    }
    match text.rsplit_once(" at Line: ") {
        Some(_) => format!("line {place}: {what}"),
        None => format!("line 1:1: {what}"),
    }
}

/// The place behind a text.
fn end(sql: &str) -> String {
    let last = sql.rsplit('\n').next().unwrap_or_default();
    format!("{}:{}", sql.matches('\n').count() + 1, last.chars().count() + 1)
}

/// A value that is none of a type.
pub(super) fn cast(text: &str) -> String {
    let string =
        text.strip_prefix("Cannot cast string '").and_then(|rest| rest.rsplit_once("' to value of "));
    if let Some((value, kind)) = string {
        let kind = type_name(kind.trim_end_matches(" type"));
        return match kind.as_str() {
            "date" | "timestamp" | "timestamp with time zone" => {
                format!("Value cannot be cast to {kind}: {value}")
            }
            "integer" => format!("Cannot cast '{value}' to INT"),
            _ => format!("Cannot cast '{value}' to {}", kind.to_uppercase()),
        };
    }
    if let Some((value, kind)) =
        text.strip_prefix("Can't cast value ").and_then(|rest| rest.rsplit_once(" to type "))
    {
        let kind = type_name(kind);
        let is_double = value.contains(['.', 'e']);
        return if is_double {
            format!("Unable to cast {value} to {kind}")
        } else {
            format!("Out of range for {kind}: {value}")
        };
    }
    match text.strip_prefix("Error parsing timestamp from '").and_then(|rest| rest.split_once('\'')) {
        Some((value, _)) => format!("Value cannot be cast to timestamp: {value}"),
        None => text.to_owned(),
    }
}

/// A fault that the plan shows; `None`: its text says nothing that is known here.
pub(super) fn planned(text: &str, sql: &str) -> Option<QueryError> {
    let user = |kind, name: &str, text: &dyn AsRef<str>| QueryError::user(kind, name, text.as_ref());
    let between = |before: &str, after: &str| {
        let rest = text.split_once(before)?.1;
        Some(rest.split_once(after)?.0.to_owned())
    };
    if let Some(name) = between("Invalid function '", "'") {
        let text = format!("{}Function '{name}' not registered", place(sql, &name));
        return Some(user(1303, "FUNCTION_NOT_FOUND", &text));
    }
    if let Some(call) = between("given name and argument types '", "'.") {
        let (name, types) = call.trim_end_matches(')').split_once('(')?;
        let text =
            format!("{}Unexpected parameters ({}) for function {name}", place(sql, name), types_of(types));
        return Some(user(1303, "FUNCTION_NOT_FOUND", &text));
    }
    // Of functions with functions as arguments.
    if text.starts_with("The function '") && text.contains(" expected ") {
        let name = between("The function '", "'")?;
        let text = format!("{}Unexpected parameters for function {name}", place(sql, &name));
        return Some(user(1303, "FUNCTION_NOT_FOUND", &text));
    }
    if text.starts_with("Unexpected parameters (") {
        let name = text.rsplit(' ').next().unwrap_or_default();
        return Some(user(1303, "FUNCTION_NOT_FOUND", &format!("{}{text}", place(sql, name))));
    }
    if text.contains("must appear in the GROUP BY clause") {
        let column = between("column \"", "\" must appear")?;
        let name = column.rsplit('.').next().unwrap_or_default();
        let text = format!(
            "{}'{name}' must be an aggregate expression or appear in GROUP BY clause",
            place(sql, name)
        );
        return Some(user(1000, "EXPRESSION_NOT_AGGREGATE", &text));
    }
    if let Some(at) = between("Order by column out of bounds, specified: ", ",") {
        return Some(user(
            1000,
            "INVALID_COLUMN_REFERENCE",
            &format!("ORDER BY position {at} is not in select list"),
        ));
    }
    if let Some(at) = between("Cannot find column with position ", " ") {
        return Some(user(
            1000,
            "INVALID_COLUMN_REFERENCE",
            &format!("GROUP BY position {at} is not in select list"),
        ));
    }
    if text.starts_with("Aggregate functions are not allowed in the WHERE clause") {
        let text = "WHERE clause cannot contain aggregations, window functions or grouping operations";
        return Some(user(1000, "EXPRESSION_NOT_SCALAR", &text));
    }
    if text.starts_with("Cannot create filter with non-boolean predicate") {
        let kind = type_name(text.rsplit_once("returning ").map_or("", |(_, kind)| kind));
        let text = format!("WHERE clause must evaluate to a boolean: actual type {kind}");
        return Some(user(1002, "TYPE_MISMATCH", &text));
    }
    if text.starts_with("SELECT * with no tables") {
        return Some(user(1006, "COLUMN_NOT_FOUND", &"SELECT * not allowed in queries without FROM clause"));
    }
    if text.contains("Placeholder '") {
        let text = "Incorrect number of parameters: there are fewer values than placeholders";
        return Some(user(1000, "INVALID_PARAMETER_USAGE", &text));
    }
    operator(text)
}

/// `bigint + varchar`
fn operator(text: &str) -> Option<QueryError> {
    let patterns = [
        r"coerce arithmetic expression (.+) ([-+*/%]) (.+) to valid types",
        r"for comparison operation (.+) (=|<>|!=|<=|>=|<|>|IS (?:NOT )?DISTINCT FROM) (\w+(?:\(.*\))?)",
    ];
    let found = patterns.iter().find_map(|pattern| Regex::new(pattern).ok()?.captures(text))?;
    let part = |place: usize| found.get(place).map_or("", |part| part.as_str());
    let text = format!("Cannot apply operator: {} {} {}", type_name(part(1)), part(2), type_name(part(3)));
    Some(QueryError::user(1002, "TYPE_MISMATCH", text))
}

/// A type that there is not, or a cast that there is not.
pub(super) fn not_supported(text: &str, sql: &str) -> QueryError {
    if let Some(name) = text.strip_prefix("Unsupported SQL type ") {
        let text = format!("{}Unknown type: {name}", place(sql, name));
        return QueryError::user(1000, "TYPE_NOT_FOUND", text);
    }
    if let Some((from, to)) =
        text.strip_prefix("Unsupported CAST from ").and_then(|rest| rest.rsplit_once(" to "))
    {
        let text = format!("Cannot cast {} to {}", type_name(from), type_name(to));
        return QueryError::user(1002, "TYPE_MISMATCH", text);
    }
    QueryError::not_supported(text)
}

/// `Utf8, List(Int64)` as `varchar, array(bigint)`.
fn types_of(all: &str) -> String {
    let (mut depth, mut start, mut found) = (0_usize, 0, Vec::new());
    for (at, letter) in all.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.push(type_name(all.get(start..at).unwrap_or_default().trim()));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(type_name(all.get(start..).unwrap_or_default().trim()));
    found.join(", ")
}

/// The engine's name of a type in Trino's words.
fn type_name(name: &str) -> String {
    let (kind, inner) = name.split_once('(').unwrap_or((name, ""));
    let inner = inner.trim_end_matches(')');
    match kind {
        "Int8" => "tinyint",
        "Int16" | "UInt8" => "smallint",
        "Int32" | "UInt16" => "integer",
        "Int64" | "UInt32" | "UInt64" => "bigint",
        "Float16" | "Float32" => "real",
        "Float64" => "double",
        "Boolean" => "boolean",
        "Utf8" | "Utf8View" | "LargeUtf8" => "varchar",
        "Date32" | "Date64" => "date",
        "Timestamp" if inner.contains("Some") || inner.contains('"') || inner.contains("UTC") => {
            "timestamp with time zone"
        }
        "Timestamp" => "timestamp",
        "Time32" | "Time64" => "time",
        "Binary" | "LargeBinary" | "BinaryView" => "varbinary",
        "FixedSizeBinary" => "ipaddress",
        "Interval" | "Duration" => "interval day to second",
        "Null" => "unknown",
        "Struct" => "row",
        "Map" => "map",
        "List" | "LargeList" if inner.chars().all(char::is_alphanumeric) => {
            return format!("array({})", type_name(inner));
        }
        "List" | "LargeList" => "array",
        "Decimal128" | "Decimal256" => return format!("decimal({})", inner.replace(", ", ",")),
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_casts() {
        for (text, expected) in [
            ("Cannot cast string 'a' to value of Int32 type", "Cannot cast 'a' to INT"),
            ("Cannot cast string 'a' to value of Float64 type", "Cannot cast 'a' to DOUBLE"),
            (
                "Cannot cast string '2024-13-01' to value of Date32 type",
                "Value cannot be cast to date: 2024-13-01",
            ),
            ("Can't cast value 300 to type Int8", "Out of range for tinyint: 300"),
            ("Can't cast value 1e20 to type Int64", "Unable to cast 1e20 to bigint"),
            ("Error parsing timestamp from 'x': too short", "Value cannot be cast to timestamp: x"),
            ("something else", "something else"),
        ] {
            assert_eq!(cast(text), expected);
        }
    }

    #[test]
    fn types_have_their_names() {
        assert_eq!(types_of("Utf8, Decimal128(3, 1), List(Int64)"), "varchar, decimal(3,1), array(bigint)");
        assert_eq!(types_of(""), "");
    }
}
