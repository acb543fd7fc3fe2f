//! SHOW and DESCRIBE: the catalog in Hive's words.

use weir_control::athena::execution::ResultColumn;
use weir_control::catalog::{Column, Table};

/// A column of a result in words.
pub fn column(name: &str, data_type: &str) -> ResultColumn {
    let precision = if data_type == "varchar" { 2_147_483_647 } else { 0 };
    ResultColumn { name: name.to_owned(), data_type: data_type.to_owned(), precision, scale: 0 }
}

pub fn columns(names: &[&str]) -> Vec<ResultColumn> {
    names.iter().map(|name| column(name, "string")).collect()
}

/// Whether a name passes Hive's pattern: `*` is any text, `|` is or.
pub fn like(name: &str, pattern: Option<&str>) -> bool {
    let Some(pattern) = pattern else { return true };
    pattern.split('|').any(|one| {
        let one = one.trim().to_lowercase().replace(".*", "*").replace('%', "*");
        let mut parts = one.split('*');
        let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
        let parts: Vec<&str> = parts.collect();
        let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
        for part in middle {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    })
}

fn line(name: &str, data_type: &str, comment: &str) -> String {
    format!("{name:<20}\t{data_type:<20}\t{comment:<20}")
}

fn lines(columns: &[Column]) -> Vec<String> {
    let text = |column: &Column| {
        line(
            &column.name,
            column.data_type.as_deref().unwrap_or("string"),
            column.comment.as_deref().unwrap_or(""),
        )
    };
    columns.iter().map(text).collect()
}

/// DESCRIBE [FORMATTED].
pub fn describe(table: &Table, formatted: bool) -> Vec<String> {
    let input = &table.input;
    let mut shown = Vec::new();
    let head = || ["# col_name", "data_type", "comment"].map(|word| format!("{word:<20}")).join("\t");
    if formatted {
        shown.extend([head(), String::new()]);
    }
    shown.extend(lines(input.columns()));
    if !formatted {
        shown.extend(lines(input.keys()));
    }
    if !input.keys().is_empty() {
        shown.extend([String::new(), "# Partition Information".to_owned(), head(), String::new()]);
        shown.extend(lines(input.keys()));
    }
    if !formatted {
        return shown;
    }
    let storage = input.storage_descriptor.clone().unwrap_or_default();
    let serde = storage.serde_info.unwrap_or_default();
    let pair = |name: &str, value: &str| format!("{name:<20}\t{value:<20}");
    shown.extend([
        String::new(),
        "# Detailed Table Information".to_owned(),
        pair("Database:", &table.database),
        pair("Location:", storage.location.as_deref().unwrap_or_default()),
        pair("Table Type:", input.table_type.as_deref().unwrap_or_default()),
        "Table Parameters:".to_owned(),
    ]);
    for (name, value) in input.parameters.iter().flatten() {
        shown.push(format!("\t{name:<20}\t{value:<20}"));
    }
    shown.extend([
        String::new(),
        "# Storage Information".to_owned(),
        pair("SerDe Library:", serde.serialization_library.as_deref().unwrap_or_default()),
        pair("InputFormat:", storage.input_format.as_deref().unwrap_or_default()),
        pair("OutputFormat:", storage.output_format.as_deref().unwrap_or_default()),
        "Storage Desc Params:".to_owned(),
    ]);
    for (name, value) in serde.parameters.iter().flatten() {
        shown.push(format!("\t{name:<20}\t{value:<20}"));
    }
    shown
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\t', "\\t").replace('\n', "\\n"))
}

/// SHOW CREATE TABLE.
pub fn create_table(table: &Table) -> Vec<String> {
    let input = &table.input;
    let storage = input.storage_descriptor.clone().unwrap_or_default();
    let serde = storage.serde_info.unwrap_or_default();
    let column = |column: &Column| {
        let comment =
            column.comment.as_ref().map_or(String::new(), |text| format!(" COMMENT {}", quote(text)));
        format!("  `{}` {}{comment}", column.name, column.data_type.as_deref().unwrap_or("string"))
    };
    let list = |columns: &[Column]| -> Vec<String> {
        let last = columns.len().saturating_sub(1);
        let end = |at| if at == last { ")" } else { ", " };
        columns.iter().enumerate().map(|(at, one)| column(one) + end(at)).collect()
    };
    let pairs = |map: &std::collections::BTreeMap<String, String>| -> Vec<String> {
        let last = map.len().saturating_sub(1);
        let end = |at| if at == last { ") " } else { ", " };
        let pair = |(at, (name, value)): (usize, (&String, &String))| {
            format!("  {}={}{}", quote(name), quote(value), end(at))
        };
        map.iter().enumerate().map(pair).collect()
    };
    let mut shown = vec![format!("CREATE EXTERNAL TABLE `{}`(", table.name())];
    shown.extend(list(input.columns()));
    if !input.keys().is_empty() {
        shown.push("PARTITIONED BY ( ".to_owned());
        shown.extend(list(input.keys()));
    }
    shown.extend([
        "ROW FORMAT SERDE ".to_owned(),
        format!("  {} ", quote(serde.serialization_library.as_deref().unwrap_or_default())),
    ]);
    let parameters = serde.parameters.unwrap_or_default();
    if !parameters.is_empty() {
        shown.push("WITH SERDEPROPERTIES ( ".to_owned());
        shown.extend(pairs(&parameters));
    }
    shown.extend([
        "STORED AS INPUTFORMAT ".to_owned(),
        format!("  {} ", quote(storage.input_format.as_deref().unwrap_or_default())),
    ]);
    shown.extend([
        "OUTPUTFORMAT ".to_owned(),
        format!("  {}", quote(storage.output_format.as_deref().unwrap_or_default())),
    ]);
    shown.extend([
        "LOCATION".to_owned(),
        format!("  {}", quote(storage.location.as_deref().unwrap_or_default())),
    ]);
    let properties = input.parameters.clone().unwrap_or_default();
    if !properties.is_empty() {
        shown.push("TBLPROPERTIES (".to_owned());
        shown.extend(pairs(&properties));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_pass_patterns() {
        for (name, pattern, expected) in [
            ("flow_logs", None, true),
            ("flow_logs", Some("flow*"), true),
            ("flow_logs", Some("*logs"), true),
            ("flow_logs", Some("a|f*s"), true),
            ("flow_logs", Some("flow"), false),
            ("flow_logs", Some("flow.*"), true),
            ("aab", Some("a*ab"), true),
            ("ab", Some("a*ab"), false),
        ] {
            assert_eq!(like(name, pattern), expected, "{name} {pattern:?}");
        }
    }
}
