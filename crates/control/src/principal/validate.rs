//! IAM's checks of what a request gives, as faults in IAM's form of words.
//! Names and paths have their rules in [`weir_iam::names`].
//!
//! Source: the patterns and lengths in the IAM and STS API references.

use crate::error::{ControlError, Result};
use weir_iam::PolicyError;
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
    checked_path(path, names::is_path(path))
}

/// The path of a managed policy, in which fewer characters may stand.
///
/// Errors: `ValidationError`.
pub fn policy_path(path: &str) -> Result<()> {
    checked_path(path, names::is_policy_path(path))
}

fn checked_path(path: &str, is_valid: bool) -> Result<()> {
    if is_valid {
        return Ok(());
    }
    if path.len() > 512 {
        return Err(constraint("path", path, "Member must have length less than or equal to 512"));
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

/// The description of a managed policy.
///
/// Errors: `ValidationError`.
pub fn policy_description(text: &str) -> Result<()> {
    characters("description", text, 0..=1000, |_| true, "")
}

/// Key and value of a tag, the `index`th of its request counted from 0.
///
/// Errors: `ValidationError`.
pub fn tag(index: usize, key: &str, value: &str) -> Result<()> {
    let member = |name: &str| format!("tags.{}.member.{name}", index + 1);
    tag_text(&member("key"), key, 1..=128, TAG_KEY)?;
    tag_text(&member("value"), value, 0..=256, TAG_VALUE)
}

/// The keys of tags that are to be removed.
///
/// Errors: `ValidationError`.
pub fn tag_keys(keys: &[&str]) -> Result<()> {
    keys.iter().try_for_each(|key| tag_text("tagKeys", key, 1..=128, TAG_KEY))
}

const TAG_KEY: &str = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+";
const TAG_VALUE: &str = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*";

/// As [`characters`]; IAM ends these faults with a full stop.
fn tag_text(member: &str, text: &str, lengths: std::ops::RangeInclusive<usize>, pattern: &str) -> Result<()> {
    characters(member, text, lengths, is_in_tags, pattern).map_err(|error| match error {
        ControlError::Fault { code, message } if message.contains(" length ") => {
            ControlError::fault(code, format!("{message}."))
        }
        other => other,
    })
}

fn is_in_tags(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c)
}

/// A refused policy document as a fault. AWS's words often do not say what was
/// wrong; the log does.
pub(super) fn refused(error: PolicyError) -> ControlError {
    if let Some(reason) = error.reason() {
        tracing::info!(code = error.code(), reason, "policy refused");
    }
    ControlError::fault(error.code(), error.to_string())
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
            (tag(0, "Gr\u{f6}\u{df}e der Sache", ""), None),
            (
                tag(0, "", ""),
                Some(
                    "at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1",
                ),
            ),
            (
                tag(1, "a*b", ""),
                Some("at 'tags.2.member.key' failed to satisfy constraint: Member must satisfy regular"),
            ),
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
