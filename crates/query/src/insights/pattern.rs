//! What texts have in common: `pattern` and `diff`.
//!
//! ```text
//! text ─ template ─▶ numbers, times, addresses, ids taken out ─ counted by DataFusion
//!   ─▶ words in the same place of many templates that are otherwise alike: one token
//!   ─▶ @pattern, @sampleCount, @ratio, @severityLabel
//! ```
//!
//! Source: CloudWatch Logs user guide, "pattern" and "Compare (diff) with
//! previous time ranges". How AWS finds patterns is not published.

use super::lower::ROW;
use super::value::Kind;
use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::common::Result;
use regex::Regex;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};
use weir_logs::insights::Rows;

/// Stands before the letter of what was taken out; in no message that is one line.
const MARK: char = '\u{1}';
/// Letters and names of what is taken out, in the order in which it is looked for.
const KINDS: [(char, &str); 7] = [
    ('t', "Time"),
    ('u', "UUID"),
    ('i', "IP"),
    ('r', "ResourceId"),
    ('h', "Hex"),
    ('n', "Number"),
    ('k', "Token"),
];
const TOKEN: &str = "\u{1}k";
/// From so many on, different words in one place are one token.
const WORDS_OF_A_TOKEN: usize = 10;
/// Words of a template that may become tokens.
const MOST_WORDS: usize = 64;

static DYNAMIC: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let kinds = [
        r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?\b|\b\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4})?|\b\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\b",
        r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b",
        r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{0,4}){2,7}|::[0-9a-fA-F]{1,4}\b",
        r"\b[a-z]{1,12}-(?:[0-9a-f]{17}|[0-9a-f]{8})\b",
        r"\b0x[0-9a-fA-F]+\b|\b[0-9a-f]{16,}\b",
        r"\b\d+(?:\.\d+)?(?:[nuµm]?s|m|h|%|[KMGT]?i?B)?\b",
        r"\b\w*\d[\w-]*",
    ];
    let any: Vec<String> = kinds.iter().map(|kind| format!("({kind})")).collect();
    Regex::new(&any.join("|")).ok()
});

/// The text without what differs from one text to the next of the same kind.
pub fn template(text: &str) -> String {
    let Some(dynamic) = DYNAMIC.as_ref() else { return text.to_owned() };
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for found in dynamic.captures_iter(text) {
        let kind = KINDS.iter().enumerate().find_map(|(i, kind)| Some((kind.0, found.get(i + 1)?)));
        let Some((letter, range)) = kind else { continue };
        out.push_str(text.get(end..range.start()).unwrap_or_default());
        out.extend([MARK, letter]);
        end = range.end();
    }
    out.push_str(text.get(end..).unwrap_or_default());
    out
}

/// How many texts follow each template.
#[derive(Debug, Default)]
pub struct Counts(BTreeMap<String, u64>);

impl Counts {
    /// From rows of a template and a number.
    pub fn of(rows: &Rows) -> Self {
        let count = |row: &Vec<Option<String>>| match row.as_slice() {
            [Some(template), Some(count), ..] => {
                let count = weir_logs::insights::number(count).unwrap_or_default();
                Some((template.clone(), count as u64))
            }
            _ => None,
        };
        Self(rows.rows.iter().filter_map(count).collect())
    }

    fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

/// What each template becomes when words that differ in one place are tokens.
fn merged<'a>(templates: impl Iterator<Item = &'a String>) -> HashMap<String, String> {
    let mut now: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for template in templates {
        now.entry(template.clone()).or_default().push(template.clone());
    }
    for place in 0..MOST_WORDS {
        let mut alike: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for template in now.keys() {
            let words: Vec<&str> = template.split(' ').collect();
            let Some(word) = words.get(place).filter(|_| words.len() > 1) else { continue };
            if word.contains(MARK) || word.is_empty() {
                continue;
            }
            let mut words = words.clone();
            if let Some(word) = words.get_mut(place) {
                *word = TOKEN;
            }
            alike.entry(words.join(" ")).or_default().push(template.clone());
        }
        for (joined, parts) in alike.into_iter().filter(|(_, parts)| parts.len() >= WORDS_OF_A_TOKEN) {
            let sources = parts.iter().filter_map(|part| now.remove(part)).flatten().collect::<Vec<_>>();
            now.entry(joined).or_default().extend(sources);
        }
    }
    now.into_iter().flat_map(|(to, from)| from.into_iter().map(move |from| (from, to.clone()))).collect()
}

/// As it is shown: `<Number-1> bytes from <IP-2>`.
fn shown(template: &str) -> String {
    let mut out = String::with_capacity(template.len() + 32);
    let mut number = 0;
    let mut chars = template.chars();
    while let Some(c) = chars.next() {
        let kind = match c {
            MARK => chars.next().and_then(|letter| KINDS.iter().find(|kind| kind.0 == letter)),
            _ => None,
        };
        match kind {
            Some((_, name)) => {
                number += 1;
                out.push_str(&format!("<{name}-{number}>"));
            }
            None => out.push(c),
        }
    }
    out
}

/// The level that a text names.
fn severity(template: &str) -> Option<&'static str> {
    const LEVELS: [(&str, &[&str]); 4] = [
        ("Error", &["error", "err", "fatal", "critical", "exception", "panic"]),
        ("Warning", &["warning", "warn"]),
        ("Info", &["info", "notice"]),
        ("Debug", &["debug", "trace"]),
    ];
    let words = || template.split(|c: char| !c.is_ascii_alphabetic());
    let has = |names: &[&str]| words().any(|word| names.iter().any(|name| word.eq_ignore_ascii_case(name)));
    LEVELS.iter().find(|(_, names)| has(names)).map(|(level, _)| *level)
}

/// The columns of a table of patterns, in order.
type Columns = Vec<(String, Kind)>;

/// One pattern: texts now and before.
struct Row {
    pattern: String,
    now: u64,
    before: u64,
}

/// The patterns as a table, the most frequent first; with those of an earlier
/// time beside them, what changed most first.
pub fn table(now: Counts, before: Option<Counts>) -> Result<(Arc<dyn TableProvider>, Columns)> {
    let (total, is_diff) = (now.total(), before.is_some());
    let before = before.unwrap_or_default();
    let merged = merged(now.0.keys().chain(before.0.keys()));
    let mut counts: BTreeMap<&String, (u64, u64)> = BTreeMap::new();
    for (template, count) in &now.0 {
        counts.entry(merged.get(template).unwrap_or(template)).or_default().0 += count;
    }
    for (template, count) in &before.0 {
        counts.entry(merged.get(template).unwrap_or(template)).or_default().1 += count;
    }
    let row =
        |(template, (now, before)): (&String, (u64, u64))| Row { pattern: template.clone(), now, before };
    let mut rows: Vec<Row> = counts.into_iter().map(row).collect();
    let weight = |row: &Row| if is_diff { row.now.abs_diff(row.before) } else { row.now };
    rows.sort_by(|a, b| weight(b).cmp(&weight(a)).then_with(|| a.pattern.cmp(&b.pattern)));

    let texts = |value: &dyn Fn(&Row) -> Option<String>| {
        Arc::new(StringArray::from(rows.iter().map(value).collect::<Vec<_>>())) as ArrayRef
    };
    let numbers = |value: &dyn Fn(&Row) -> f64| {
        Arc::new(Float64Array::from(rows.iter().map(value).collect::<Vec<_>>())) as ArrayRef
    };
    let ratio = |row: &Row| if total == 0 { 0.0 } else { row.now as f64 / total as f64 };
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("@pattern", texts(&|row| Some(shown(&row.pattern)))),
        ("@ratio", numbers(&ratio)),
        ("@sampleCount", numbers(&|row| row.now as f64)),
        ("@severityLabel", texts(&|row| severity(&row.pattern).map(str::to_owned))),
    ];
    if is_diff {
        columns.push(("@previousSampleCount", numbers(&|row| row.before as f64)));
        columns.push(("@sampleCountDifference", numbers(&|row| row.now as f64 - row.before as f64)));
        columns.push(("@differenceDescription", texts(&|row| Some(difference(row).to_owned()))));
    }
    let order = Arc::new(Int64Array::from_iter_values(0..rows.len() as i64)) as ArrayRef;
    let mut fields = vec![Field::new(ROW, DataType::Int64, false)];
    let mut arrays = vec![order];
    let mut kinds = Vec::new();
    for (i, (name, array)) in columns.into_iter().enumerate() {
        fields.push(Field::new(format!("v{i}"), array.data_type().clone(), true));
        let kind = if *array.data_type() == DataType::Float64 { Kind::Number } else { Kind::Text };
        kinds.push((name.to_owned(), kind));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), arrays)?;
    Ok((Arc::new(MemTable::try_new(schema, vec![vec![batch]])?), kinds))
}

fn difference(row: &Row) -> &'static str {
    match (row.now, row.before) {
        (_, 0) => "New",
        (0, _) => "Gone",
        (now, before) if now > before => "More",
        (now, before) if now < before => "Fewer",
        _ => "Unchanged",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_out() {
        for (text, wanted) in [
            ("[INFO] Request time: 327 ms", "[INFO] Request time: <Number-1> ms"),
            (
                "2026-11-22T12:00:00.123Z ERROR 10.0.0.1 failed after 1.5s",
                "<Time-1> ERROR <IP-2> failed after <Number-3>",
            ),
            ("2026-11-22 12:00:00 x", "<Time-1> x"),
            ("id 550e8400-e29b-41d4-a716-446655440000 of user42", "id <UUID-1> of <Token-2>"),
            ("vpc-0123456789abcdef0/eni-12345678", "<ResourceId-1>/<ResourceId-2>"),
            ("from fe80::1 or 2001:db8::7", "from <IP-1> or <IP-2>"),
            ("at 0xdeadbeef", "at <Hex-1>"),
            ("nothing to see", "nothing to see"),
            ("é 1 ü", "é <Number-1> ü"),
        ] {
            assert_eq!(shown(&template(text)), wanted, "{text}");
        }
    }

    #[test]
    fn words_become_tokens() {
        let mut templates: Vec<String> =
            (0..12).map(|i| format!("user {} logged in", char::from(b'a' + i))).collect();
        templates.push("user x logged out".into());
        let merged = merged(templates.iter());
        assert_eq!(shown(&merged["user a logged in"]), "user <Token-1> logged in");
        assert_eq!(merged["user x logged out"], "user x logged out");
    }

    #[test]
    fn levels() {
        for (text, wanted) in
            [("[ERROR] x", Some("Error")), ("level=warn", Some("Warning")), ("informed", None)]
        {
            assert_eq!(severity(text), wanted, "{text}");
        }
    }
}
