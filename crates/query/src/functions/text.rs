//! Texts. Source: Trino documentation, "String functions", "Regular expression
//! functions", "URL functions".

use super::scalar::{Returns, get, long, longs, map_text, scalar, texts, wrong};
use datafusion::arrow::array::{
    ArrayRef, BinaryArray, Int64Array, ListBuilder, StringArray, StringBuilder, cast::AsArray,
};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;
use regex::Regex;
use std::sync::Arc;

/// An expression for many rows: the last one is kept.
#[derive(Default)]
struct Compiled(Option<(String, Regex)>);

impl Compiled {
    fn of(&mut self, pattern: &str) -> Result<&Regex> {
        if self.0.as_ref().is_none_or(|(known, _)| known != pattern) {
            match Regex::new(pattern) {
                Ok(found) => self.0 = Some((pattern.to_owned(), found)),
                Err(error) => return wrong(format!("{pattern}: {error}")),
            }
        }
        match &self.0 {
            Some((_, found)) => Ok(found),
            None => wrong("no pattern"),
        }
    }
}

fn list_type() -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)))
}

/// Rows of lists of texts.
fn map_list(
    args: &[ArrayRef],
    rows: usize,
    mut body: impl FnMut(&[&str]) -> Result<Vec<String>>,
) -> Result<ArrayRef> {
    let columns: Vec<StringArray> = args.iter().map(texts).collect::<Result<_>>()?;
    let mut found = ListBuilder::new(StringBuilder::new());
    for row in 0..rows {
        let values: Option<Vec<&str>> = columns.iter().map(|column| get(column, row)).collect();
        match values {
            Some(values) => {
                body(&values)?.into_iter().for_each(|item| found.values().append_value(item));
                found.append(true);
            }
            None => found.append(false),
        }
    }
    Ok(Arc::new(found.finish()))
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or(0)
}

/// Characters from `start` (from 1; below 0 from the end), at most `length`.
fn substr(text: &str, start: i64, length: Option<i64>) -> String {
    let count = text.chars().count() as i64;
    let from = match start {
        0 => return String::new(),
        start if start < 0 => count + start,
        start => start - 1,
    };
    if from < 0 || from >= count {
        return String::new();
    }
    let letters = text.chars().skip(from as usize);
    match length {
        Some(length) => letters.take(length.max(0) as usize).collect(),
        None => letters.collect(),
    }
}

/// `$1` and `${name}` in Java are `${1}` here.
fn replacement(java: &str) -> String {
    let mut found = String::new();
    let mut letters = java.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => found.extend(letters.next()),
            '$' if letters.peek().is_some_and(char::is_ascii_digit) => {
                found.push_str("${");
                while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                    found.push(digit);
                }
                found.push('}');
            }
            other => found.push(other),
        }
    }
    found
}

/// The parts of a URL: protocol, host, port, path, query, fragment.
fn url(text: &str) -> Option<[String; 6]> {
    let (protocol, rest) = text.split_once("://")?;
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (server, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let server = server.rsplit('@').next().unwrap_or(server);
    let (host, port) = match server.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (server, ""),
    };
    Some([protocol, host, port, path, query, fragment].map(str::to_owned))
}

pub(super) fn functions() -> Vec<ScalarUDF> {
    let (text, list) = (Returns::Type(|| DataType::Utf8), Returns::Type(list_type));
    let bigint = Returns::Type(|| DataType::Int64);
    vec![
        scalar("split_part", 3..=3, text, |args, rows, _| {
            map_text(args, rows, |v| {
                let place = number(v[2]);
                if place < 1 {
                    return wrong("Index must be greater than zero");
                }
                if v[1].is_empty() {
                    let letter = v[0].chars().nth(place as usize - 1);
                    return Ok(letter.map(String::from));
                }
                Ok(v[0].split(v[1]).nth(place as usize - 1).map(str::to_owned))
            })
        }),
        scalar("split", 2..=3, list, |args, rows, _| {
            map_list(args, rows, |v| {
                if v[1].is_empty() {
                    return wrong("The delimiter may not be the empty string");
                }
                Ok(match v.get(2) {
                    Some(limit) => {
                        v[0].splitn(number(limit).max(1) as usize, v[1]).map(str::to_owned).collect()
                    }
                    None => v[0].split(v[1]).map(str::to_owned).collect(),
                })
            })
        }),
        scalar("substr", 2..=3, text, |args, rows, _| {
            map_text(args, rows, |v| Ok(Some(substr(v[0], number(v[1]), v.get(2).map(|n| number(n))))))
        }),
        scalar("substring", 2..=3, text, |args, rows, _| {
            map_text(args, rows, |v| Ok(Some(substr(v[0], number(v[1]), v.get(2).map(|n| number(n))))))
        }),
        scalar("concat", 1..=128, text, |args, rows, _| map_text(args, rows, |v| Ok(Some(v.concat())))),
        scalar("regexp_replace", 2..=3, text, |args, rows, _| {
            let mut compiled = Compiled::default();
            let columns: Vec<StringArray> = args.iter().map(texts).collect::<Result<_>>()?;
            let mut found = Vec::with_capacity(rows);
            for row in 0..rows {
                let with = columns.get(2).map_or(Some(""), |column| get(column, row));
                let (Some(value), Some(pattern), Some(with)) =
                    (get(&columns[0], row), get(&columns[1], row), with)
                else {
                    found.push(None);
                    continue;
                };
                let with = replacement(with);
                found.push(Some(compiled.of(pattern)?.replace_all(value, with.as_str()).into_owned()));
            }
            Ok(Arc::new(StringArray::from(found)))
        }),
        scalar("regexp_extract", 2..=3, text, |args, rows, _| {
            let mut compiled = Compiled::default();
            let (values, patterns) = (texts(&args[0])?, texts(&args[1])?);
            let groups = args.get(2).map(longs).transpose()?;
            let mut found = Vec::with_capacity(rows);
            for row in 0..rows {
                let group = groups.as_ref().map_or(Some(0), |groups| long(groups, row));
                let (Some(value), Some(pattern), Some(group)) =
                    (get(&values, row), get(&patterns, row), group)
                else {
                    found.push(None);
                    continue;
                };
                let regex = compiled.of(pattern)?;
                if group < 0 || group as usize >= regex.captures_len() {
                    return wrong(format!(
                        "Pattern has {} groups. Cannot access group {group}",
                        regex.captures_len() - 1
                    ));
                }
                let captures = regex.captures(value);
                found.push(
                    captures.and_then(|all| all.get(group as usize).map(|part| part.as_str().to_owned())),
                );
            }
            Ok(Arc::new(StringArray::from(found)))
        }),
        scalar("regexp_extract_all", 2..=3, list, |args, rows, _| {
            let mut compiled = Compiled::default();
            map_list(args, rows, |v| {
                let group = v.get(2).map_or(0, |group| number(group)) as usize;
                let regex = compiled.of(v[1])?;
                let all = regex.captures_iter(v[0]).filter_map(|all| all.get(group));
                Ok(all.map(|part| part.as_str().to_owned()).collect())
            })
        }),
        scalar("regexp_split", 2..=2, list, |args, rows, _| {
            let mut compiled = Compiled::default();
            map_list(args, rows, |v| Ok(compiled.of(v[1])?.split(v[0]).map(str::to_owned).collect()))
        }),
        scalar("regexp_position", 2..=2, bigint, |args, rows, _| {
            let mut compiled = Compiled::default();
            bigint_of_two(args, rows, |value, pattern| {
                let first = compiled.of(pattern)?.find(value);
                Ok(Some(first.map_or(-1, |part| value[..part.start()].chars().count() as i64 + 1)))
            })
        }),
        scalar("hamming_distance", 2..=2, bigint, |args, rows, _| {
            bigint_of_two(args, rows, |left, right| {
                if left.chars().count() != right.chars().count() {
                    return wrong("The input strings to hamming_distance function must have the same length");
                }
                Ok(Some(left.chars().zip(right.chars()).filter(|(a, b)| a != b).count() as i64))
            })
        }),
        // What `CAST(x AS varchar)` becomes.
        scalar("to_varchar", 1..=1, text, |args, rows, _| {
            let kind = args[0].data_type();
            if kind.is_integer() || kind.is_string() || matches!(kind, DataType::Null | DataType::Boolean) {
                return super::scalar::to(&args[0], &DataType::Utf8);
            }
            let found = (0..rows).map(|row| crate::athena::text(&args[0], row));
            Ok(Arc::new(found.collect::<StringArray>()))
        }),
        scalar("soundex", 1..=1, text, |args, rows, _| map_text(args, rows, |v| soundex(v[0]).map(Some))),
        scalar("regexp_count", 2..=2, bigint, |args, rows, _| {
            let mut compiled = Compiled::default();
            bigint_of_two(args, rows, |value, pattern| {
                Ok(Some(compiled.of(pattern)?.find_iter(value).count() as i64))
            })
        }),
        scalar("codepoint", 1..=1, bigint, |args, rows, _| {
            let values = texts(&args[0])?;
            let code = |row| get(&values, row)?.chars().next().map(|letter| i64::from(u32::from(letter)));
            Ok(Arc::new((0..rows).map(code).collect::<Int64Array>()))
        }),
        scalar("strrpos", 2..=2, bigint, |args, rows, _| {
            let (values, parts) = (texts(&args[0])?, texts(&args[1])?);
            let place = |row| {
                let (value, part) = (get(&values, row)?, get(&parts, row)?);
                Some(value.rfind(part).map_or(0, |at| value[..at].chars().count() as i64 + 1))
            };
            Ok(Arc::new((0..rows).map(place).collect::<Int64Array>()))
        }),
        scalar("to_utf8", 1..=1, Returns::Type(|| DataType::Binary), |args, _, _| {
            let values = texts(&args[0])?;
            Ok(Arc::new(values.iter().map(|value| value.map(str::as_bytes)).collect::<BinaryArray>()))
        }),
        scalar("from_utf8", 1..=1, text, |args, rows, _| {
            let values = super::scalar::to(&args[0], &DataType::Binary)?;
            let values = values.as_binary::<i32>();
            let shown = values
                .iter()
                .take(rows)
                .map(|bytes| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()));
            Ok(Arc::new(shown.collect::<StringArray>()))
        }),
        scalar("url_extract_parameter", 2..=2, text, |args, rows, _| {
            map_text(args, rows, |v| {
                let query = url(v[0]).map(|parts| parts[4].clone()).unwrap_or_default();
                let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
                let value = pairs.filter(|(name, _)| *name == v[1]).map(|(_, value)| value.to_owned()).next();
                value
                    .filter(|_| !query.is_empty())
                    .map(|value| super::encoding::url_decode(&value))
                    .transpose()
            })
        }),
        scalar("url_extract_protocol", 1..=1, text, |args, rows, _| url_part(args, rows, 0)),
        scalar("url_extract_host", 1..=1, text, |args, rows, _| url_part(args, rows, 1)),
        scalar("url_extract_path", 1..=1, text, |args, rows, _| url_part(args, rows, 3)),
        scalar("url_extract_query", 1..=1, text, |args, rows, _| url_part(args, rows, 4)),
        scalar("url_extract_fragment", 1..=1, text, |args, rows, _| url_part(args, rows, 5)),
        scalar("url_extract_port", 1..=1, bigint, |args, rows, _| {
            let values = texts(&args[0])?;
            let port = |row| url(get(&values, row)?)?[2].parse().ok();
            Ok(Arc::new((0..rows).map(port).collect::<Int64Array>()))
        }),
    ]
}

/// A number of two texts, row by row; NULL where one of them is.
/// A word's sound as a letter and three digits.
fn soundex(text: &str) -> Result<String> {
    let digit = |letter: char| match letter {
        'B' | 'F' | 'P' | 'V' => Some('1'),
        'C' | 'G' | 'J' | 'K' | 'Q' | 'S' | 'X' | 'Z' => Some('2'),
        'D' | 'T' => Some('3'),
        'L' => Some('4'),
        'M' | 'N' => Some('5'),
        'R' => Some('6'),
        _ => None,
    };
    let letters: Vec<char> = text.trim().chars().map(|letter| letter.to_ascii_uppercase()).collect();
    if let Some(other) = letters.iter().find(|letter| letter.is_alphabetic() && !letter.is_ascii()) {
        return wrong(format!("The character is not mapped: {other}"));
    }
    let mut letters = letters.into_iter().filter(char::is_ascii_alphabetic);
    let Some(first) = letters.next() else { return Ok(String::new()) };
    let (mut code, mut last) = (String::from(first), digit(first));
    for letter in letters {
        let found = digit(letter);
        if let Some(found) = found.filter(|found| Some(*found) != last) {
            code.push(found);
        }
        // H and W part nothing, a vowel does.
        if !matches!(letter, 'H' | 'W') {
            last = found;
        }
    }
    Ok(format!("{code:0<4}").chars().take(4).collect())
}

fn bigint_of_two(
    args: &[ArrayRef],
    rows: usize,
    mut of: impl FnMut(&str, &str) -> Result<Option<i64>>,
) -> Result<ArrayRef> {
    let (left, right) = (texts(&args[0])?, texts(&args[1])?);
    let found = (0..rows).map(|row| match (get(&left, row), get(&right, row)) {
        (Some(left), Some(right)) => of(left, right),
        _ => Ok(None),
    });
    Ok(Arc::new(found.collect::<Result<Int64Array>>()?))
}

fn url_part(args: &[ArrayRef], rows: usize, place: usize) -> Result<ArrayRef> {
    map_text(args, rows, |v| Ok(url(v[0]).map(|parts| parts[place].clone())))
}
