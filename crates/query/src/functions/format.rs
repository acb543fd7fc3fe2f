//! `format` and `format_number`. Source: Trino documentation, "Conversion
//! functions"; Java SE API, `Formatter`.

use super::scalar::{Returns, get, scalar, texts, to, wrong};
use datafusion::arrow::array::{Array, ArrayRef, StringArray, cast::AsArray};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;
use std::sync::Arc;

/// The widest value and the most digits.
const WIDEST: usize = 10_000;

/// `%1$-07,.2f`
#[derive(Debug, Default, PartialEq)]
struct Spec {
    argument: Option<usize>,
    /// The argument of the one before.
    same: bool,
    flags: String,
    width: usize,
    digits: Option<usize>,
    /// `t` or `T` is before the letter.
    is_time: bool,
    letter: char,
}

#[derive(Debug, PartialEq)]
enum Part {
    Text(String),
    Value(Spec),
}

fn parts(format: &str) -> Option<Vec<Part>> {
    let mut found = Vec::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        found.push(Part::Text(rest.get(..at)?.to_owned()));
        let mut letters = rest.get(at + 1..)?.chars().peekable();
        let mut spec = Spec::default();
        let mut digits = String::new();
        let taken = |letters: &mut std::iter::Peekable<std::str::Chars<'_>>, digits: &mut String| {
            while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
        };
        if letters.next_if_eq(&'<').is_some() {
            spec.same = true;
        } else {
            // A number is an argument's if `$` follows; with a zero first it is a flag.
            let mut ahead = letters.clone();
            taken(&mut ahead, &mut digits);
            if !digits.is_empty() && ahead.next_if_eq(&'$').is_some() {
                spec.argument = digits.parse().ok();
                letters = ahead;
            }
            digits.clear();
        }
        while let Some(flag) = letters.next_if(|letter| "-#+ 0,(".contains(*letter)) {
            spec.flags.push(flag);
        }
        taken(&mut letters, &mut digits);
        spec.width = if digits.is_empty() { 0 } else { digits.parse().ok()? };
        if letters.next_if_eq(&'.').is_some() {
            digits.clear();
            taken(&mut letters, &mut digits);
            spec.digits = Some(digits.parse().ok()?);
        }
        spec.letter = letters.next()?;
        if matches!(spec.letter, 't' | 'T') {
            spec.is_time = true;
            spec.letter = letters.next()?;
        }
        if spec.width > WIDEST || spec.digits.is_some_and(|digits| digits > WIDEST) {
            return None;
        }
        found.push(Part::Value(spec));
        let left: String = letters.collect();
        rest = rest.get(rest.len() - left.len()..)?;
    }
    found.push(Part::Text(rest.to_owned()));
    Some(found)
}

fn grouped(digits: &str) -> String {
    let (whole, part) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut out = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + part
}

/// A number's digits with its sign, in its width.
fn signed(spec: &Spec, is_negative: bool, digits: &str) -> String {
    let has = |flag| spec.flags.contains(flag);
    let digits = if has(',') { grouped(digits) } else { digits.to_owned() };
    let (before, after) = match (is_negative, has('('), has('+'), has(' ')) {
        (true, true, ..) => ("(", ")"),
        (true, ..) => ("-", ""),
        (false, _, true, _) => ("+", ""),
        (false, _, _, true) => (" ", ""),
        _ => ("", ""),
    };
    let used = before.len() + after.len() + digits.len();
    let zeros = if has('0') { "0".repeat(spec.width.saturating_sub(used)) } else { String::new() };
    format!("{before}{zeros}{digits}{after}")
}

fn float(spec: &Spec, value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() { "NaN".to_owned() } else { signed(spec, value < 0.0, "Infinity") };
    }
    let digits = spec.digits.unwrap_or(6);
    let size = value.abs();
    let scientific = |digits: usize| {
        let text = format!("{size:.digits$e}");
        let (number, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{number}e{sign}{:02}", exponent.abs())
    };
    let shown = match spec.letter.to_ascii_lowercase() {
        'e' => scientific(digits),
        'g' => {
            let digits = digits.max(1);
            let exponent = if size == 0.0 { 0 } else { size.log10().floor() as i32 };
            if size != 0.0 && (size < 1e-4 || exponent >= digits as i32) {
                scientific(digits - 1)
            } else {
                let after = usize::try_from(digits as i32 - 1 - exponent).unwrap_or(0);
                format!("{size:.after$}")
            }
        }
        _ => format!("{size:.digits$}"),
    };
    signed(spec, value.is_sign_negative() && value != 0.0, &shown)
}

/// The value of a row in the words of a part.
fn value(spec: &Spec, array: &ArrayRef, row: usize) -> Result<String> {
    let kind = array.data_type();
    let unfit = || {
        let shown = crate::athena::trino_type(kind);
        wrong(format!("Invalid format string: {} != {shown}", spec.letter))
    };
    if spec.is_time {
        let Some(code) = time_code(spec.letter) else { return unfit() };
        let is_time = matches!(kind, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64);
        if !is_time {
            return unfit();
        }
        let instants = super::datetime::millis(array)?;
        return match super::datetime::at(&instants, row) {
            Some(at) => super::datetime::mysql(at, code),
            None => Ok("null".to_owned()),
        };
    }
    let text = crate::athena::text(array, row);
    let number = || text.as_deref().unwrap_or_default().to_owned();
    let shown = match spec.letter {
        's' | 'S' => {
            let text = text.unwrap_or_else(|| "null".to_owned());
            match spec.digits {
                Some(most) => text.chars().take(most).collect(),
                None => text,
            }
        }
        'b' | 'B' => match (kind, &text) {
            (DataType::Boolean, Some(text)) => text.clone(),
            (_, found) => found.is_some().to_string(),
        },
        _ if text.is_none() => "null".to_owned(),
        'd' | 'x' | 'X' | 'o' if kind.is_integer() => {
            let Ok(number) = number().parse::<i64>() else { return unfit() };
            if spec.letter == 'd' {
                return Ok(signed(spec, number < 0, &number.unsigned_abs().to_string()));
            }
            let plain =
                Spec { flags: spec.flags.replace([',', '+', ' '], ""), width: spec.width, ..Spec::default() };
            match spec.letter {
                'o' => signed(&plain, false, &format!("{number:o}")),
                _ => signed(&plain, false, &format!("{number:x}")),
            }
        }
        'f' | 'e' | 'E' | 'g' | 'G' if kind.is_floating() || matches!(kind, DataType::Decimal128(..)) => {
            let Ok(number) = to(&array.slice(row, 1), &DataType::Float64) else { return unfit() };
            float(spec, number.as_primitive::<Float64Type>().value(0))
        }
        'c' | 'C' if kind.is_string() && number().chars().count() == 1 => number(),
        _ => return unfit(),
    };
    let is_upper = spec.letter.is_ascii_uppercase();
    Ok(if is_upper { shown.to_uppercase() } else { shown })
}

/// A letter after `%t` as a code of `date_format`.
fn time_code(letter: char) -> Option<&'static str> {
    Some(match letter {
        'A' => "%W",
        'a' => "%a",
        'B' => "%M",
        'b' | 'h' => "%b",
        'd' => "%d",
        'e' => "%e",
        'm' => "%m",
        'Y' => "%Y",
        'y' => "%y",
        'j' => "%j",
        'H' => "%H",
        'k' => "%k",
        'I' => "%h",
        'l' => "%l",
        'M' => "%i",
        'S' => "%s",
        'p' => "%p",
        'T' => "%T",
        'R' => "%H:%i",
        'r' => "%r",
        'F' => "%Y-%m-%d",
        'D' => "%m/%d/%y",
        _ => return None,
    })
}

fn padded(spec: &Spec, text: String) -> String {
    let blanks = " ".repeat(spec.width.saturating_sub(text.chars().count()));
    if spec.flags.contains('-') { text + &blanks } else { blanks + &text }
}

fn formatted(format: &str, args: &[ArrayRef], row: usize) -> Result<String> {
    let invalid = || wrong(format!("Invalid format string: {format}"));
    let Some(parts) = parts(format) else { return invalid() };
    let (mut out, mut next, mut last) = (String::new(), 0, None);
    for part in parts {
        let spec = match part {
            Part::Text(text) => {
                out.push_str(&text);
                continue;
            }
            Part::Value(spec) => spec,
        };
        match (spec.letter, spec.is_time) {
            ('%', false) => {
                out.push_str(&padded(&spec, "%".to_owned()));
                continue;
            }
            ('n', false) => {
                out.push('\n');
                continue;
            }
            _ => {}
        }
        let place = match spec.argument {
            Some(number) => number.checked_sub(1),
            None if spec.same => last,
            None => {
                next += 1;
                Some(next - 1)
            }
        };
        last = place;
        match place.and_then(|place| args.get(place)) {
            Some(array) => out.push_str(&padded(&spec, value(&spec, array, row)?)),
            None => return invalid(),
        }
    }
    Ok(out)
}

/// Thousands, millions and so on with three digits.
fn short(value: f64) -> String {
    let mut size = value.abs();
    if !size.is_finite() {
        return if size.is_nan() { "NaN".to_owned() } else { value.to_string() };
    }
    let mut unit = "";
    for next in ["K", "M", "B", "T", "Q"] {
        if size < 1000.0 {
            break;
        }
        size /= 1000.0;
        unit = next;
    }
    let digits = if size < 10.0 { 2 } else { usize::from(size < 100.0) };
    let text = format!("{size:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{}{text}{unit}", if value < 0.0 { "-" } else { "" })
}

pub(super) fn functions() -> Vec<ScalarUDF> {
    let text = Returns::Type(|| DataType::Utf8);
    vec![
        scalar("format", 2..=128, text, |args, rows, _| {
            let formats = texts(&args[0])?;
            let given = args.get(1..).unwrap_or_default();
            let found = (0..rows).map(|row| match get(&formats, row) {
                Some(format) => formatted(format, given, row).map(Some),
                None => Ok(None),
            });
            Ok(Arc::new(found.collect::<Result<StringArray>>()?))
        }),
        scalar("format_number", 1..=1, text, |args, _, _| {
            let numbers = to(&args[0], &DataType::Float64)?;
            let numbers = numbers.as_primitive::<Float64Type>().iter();
            Ok(Arc::new(numbers.map(|number| number.map(short)).collect::<StringArray>()))
        }),
    ]
}
