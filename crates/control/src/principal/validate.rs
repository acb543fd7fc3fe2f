//! IAM's checks of what a request gives, as faults in IAM's form of words.
//! Names and paths have their rules in [`weir_iam::names`].
//!
//! Source: the patterns and lengths in the IAM and STS API references.

use crate::error::{ControlError, Result};
use weir_iam::names::{self, NameRule};

/// `member` as faults spell it: `roleName`.
///
/// Errors: `ValidationError`.
pub fn name(rule: NameRule, member: &'static str, value: &str) -> Result<()> {
    rule.check(member, value).map_err(|error| ControlError::fault("ValidationError", error.to_string()))
}

/// A number that must be in a range.
///
/// Errors: `ValidationError`.
pub fn number(member: &str, value: i64, range: std::ops::RangeInclusive<i64>) -> Result<()> {
    if value > *range.end() {
        let rule = format!("Member must have value less than or equal to {}", range.end());
        return Err(constraint(member, value, &rule));
    }
    if value < *range.start() {
        let rule = format!("Member must have value greater than or equal to {}", range.start());
        return Err(constraint(member, value, &rule));
    }
    Ok(())
}

/// A path such as `/` or `/team/flow/`.
///
/// Errors: `ValidationError`.
pub fn path(path: &str) -> Result<()> {
    if names::is_path(path) {
        return Ok(());
    }
    let message = "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.";
    Err(ControlError::fault("ValidationError", message))
}

/// The description of a role.
///
/// Errors: `ValidationError`.
pub fn description(text: &str) -> Result<()> {
    let allows = |c| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{A1}'..='\u{FF}');
    let pattern = r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*";
    characters("description", text, 0..=1000, allows, pattern)
}

/// Key and value of a tag.
///
/// Errors: `ValidationError`.
pub fn tag(key: &str, value: &str) -> Result<()> {
    let allows = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c);
    let pattern = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*";
    characters("tagKey", key, 1..=128, allows, pattern)?;
    characters("tagValue", value, 0..=256, allows, pattern)
}

fn characters(
    member: &str,
    text: &str,
    lengths: std::ops::RangeInclusive<usize>,
    allows: impl Fn(char) -> bool,
    pattern: &str,
) -> Result<()> {
    let length = text.chars().count();
    if length > *lengths.end() {
        let rule = format!("Member must have length less than or equal to {}", lengths.end());
        return Err(constraint(member, text, &rule));
    }
    if length < *lengths.start() {
        let rule = format!("Member must have length greater than or equal to {}", lengths.start());
        return Err(constraint(member, text, &rule));
    }
    if !text.chars().all(allows) {
        let rule = format!("Member must satisfy regular expression pattern: {pattern}");
        return Err(constraint(member, text, &rule));
    }
    Ok(())
}

fn constraint(member: &str, value: impl std::fmt::Display, rule: &str) -> ControlError {
    let message = format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}"
    );
    ControlError::fault("ValidationError", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_say_which_rule_is_broken() {
        let long = "x".repeat(1001);
        for (outcome, expected) in [
            (description("all\nis \u{e9}"), None),
            (
                description("\u{3b1}"),
                Some("at 'description' failed to satisfy constraint: Member must satisfy"),
            ),
            (description(&long), Some("less than or equal to 1000")),
            (tag("Gr\u{f6}\u{df}e der Sache", ""), None),
            (
                tag("", ""),
                Some(
                    "at 'tagKey' failed to satisfy constraint: Member must have length greater than or equal to 1",
                ),
            ),
            (tag("a*b", ""), Some("pattern")),
            (number("durationSeconds", 900, 900..=43_200), None),
            (number("durationSeconds", 43_200, 900..=43_200), None),
            (number("durationSeconds", 899, 900..=43_200), Some("Value '899' at 'durationSeconds'")),
            (number("durationSeconds", 43_201, 900..=43_200), Some("less than or equal to 43200")),
            (path("/a/b/"), None),
            (path("/a"), Some("It must begin and end with /")),
        ] {
            let fault = outcome.err().map(|error| error.to_string());
            match (&fault, expected) {
                (None, None) => {}
                (Some(fault), Some(part)) => assert!(fault.contains(part), "{fault}"),
                _ => panic!("{fault:?}, expected {expected:?}"),
            }
        }
    }
}
