//! Says what is wrong with a line that the columns could not take.

use crate::format::LogFormat;
use crate::text::{MalformedLine, Problem, parse_value};

/// What `text::parse_line` would say of the line, had it only looked at the
/// values at the wanted places (and at how many values there are).
///
/// Called for lines that are known to be wrong. `None` for one that is not.
#[cold]
pub(super) fn explain(
    format: &LogFormat,
    is_wanted: impl Fn(usize) -> bool,
    number: u64,
    line: &[u8],
) -> Option<MalformedLine> {
    let fault = |column, field, problem| Some(MalformedLine { line: number, column, field, problem });
    let mut values = line.split(|&byte| byte == b' ');
    let mut column = 1;
    for (position, &field) in format.fields().iter().enumerate() {
        let Some(value) = values.next() else {
            return fault(line.len() + 1, field, Problem::Missing);
        };
        if is_wanted(position) {
            let text = std::str::from_utf8(value).map_err(|_| Problem::NotUtf8);
            if let Err(problem) = text.and_then(|text| parse_value(field, text)) {
                return fault(column, field, problem);
            }
        }
        column += value.len() + 1;
    }
    match format.fields().last() {
        Some(&field) if values.next().is_some() => fault(column, field, Problem::TooMany),
        _ => None,
    }
}
