//! Names, limits and AWS's text for values that break them.
//!
//! Source: CloudWatch Logs API reference (each action's request parameters)
//! and user guide, "CloudWatch Logs quotas".

use crate::error::LogsError;
use std::collections::BTreeMap;
use std::fmt::Display;

/// Most events of one PutLogEvents call.
pub const MAX_BATCH_EVENTS: usize = 10_000;
/// Most bytes of one PutLogEvents call: UTF-8 length plus [`EVENT_OVERHEAD_BYTES`] for each event.
pub const MAX_BATCH_BYTES: usize = 1_048_576;
/// Default for the most bytes of one event, overhead included.
pub const MAX_EVENT_BYTES: usize = 1_048_576;
/// What AWS adds to each event's length when it counts bytes.
pub const EVENT_OVERHEAD_BYTES: usize = 26;
/// Longest time between the first and the last event of a batch, milliseconds.
pub const MAX_SPAN_MS: i64 = 24 * HOUR_MS;
/// Oldest event that is taken, milliseconds before now.
pub const MAX_AGE_MS: i64 = 14 * DAY_MS;
/// Newest event that is taken, milliseconds after now.
pub const MAX_AHEAD_MS: i64 = 2 * HOUR_MS;
/// Most events, and the default, of one page of GetLogEvents or FilterLogEvents.
pub const MAX_PAGE_EVENTS: usize = 10_000;
/// Most bytes of one page, counted as in a batch.
pub const MAX_PAGE_BYTES: usize = 1_048_576;
/// Most items, and the default, of one page of the Describe actions.
pub const MAX_DESCRIBE: usize = 50;
/// The longest filter pattern, in characters.
pub const MAX_PATTERN_CHARS: usize = crate::pattern::MAX_PATTERN_CHARS;
/// Most groups of one account and region.
pub const MAX_GROUPS: usize = 1_000_000;
/// Most tags of one group or destination.
pub const MAX_TAGS: usize = 50;
/// The values that PutRetentionPolicy takes, days.
pub const RETENTION_DAYS: [i64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

const HOUR_MS: i64 = 3_600_000;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

/// Collects the constraints that a request breaks, and words them as AWS does:
/// all of them in one message.
#[derive(Debug, Default)]
pub struct Constraints {
    broken: Vec<String>,
    name_too_long: bool,
}

impl Constraints {
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that `member` breaks `rule`, unless `holds`. `member` is the JSON
    /// path, `rule` the text from "Member must" on.
    pub fn that(&mut self, holds: bool, value: impl Display, member: &str, rule: impl Display) -> &mut Self {
        if !holds {
            self.broken.push(format!("Value '{value}' at '{member}' failed to satisfy constraint: {rule}"));
        }
        self
    }

    /// As [`Constraints::that`], without the value, as AWS words the patterns of
    /// ARNs and identifiers.
    pub fn unquoted(&mut self, holds: bool, member: &str, rule: impl Display) -> &mut Self {
        if !holds {
            self.broken.push(format!("Value at '{member}' failed to satisfy constraint: {rule}"));
        }
        self
    }

    /// Length in characters, both ends included.
    pub fn length(&mut self, text: &str, member: &str, min: usize, max: usize) -> &mut Self {
        let length = text.chars().count();
        self.that(length >= min, text, member, at_least("length", min));
        self.that(length <= max, text, member, at_most("length", max))
    }

    /// A number within both ends.
    pub fn range(&mut self, value: Option<i64>, member: &str, min: i64, max: i64) -> &mut Self {
        let Some(value) = value else { return self };
        self.that(value >= min, value, member, at_least("value", min));
        self.that(value <= max, value, member, at_most("value", max))
    }

    /// A log group's name: 1 to 512 of `.-_/#A-Za-z0-9`.
    pub fn group_name(&mut self, name: &str, member: &str) -> &mut Self {
        self.name_too_long |= name.chars().count() > 512;
        self.that(!name.is_empty(), name, member, at_least("length", 1));
        let holds = name.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_/#".contains(&b));
        self.that(holds, name, member, pattern(r"[\.\-_/#A-Za-z0-9]+"))
    }

    /// A log stream's name: 1 to 512 characters other than `:` and `*`.
    pub fn stream_name(&mut self, name: &str, member: &str) -> &mut Self {
        self.name_too_long |= name.chars().count() > 512;
        self.that(!name.is_empty(), name, member, at_least("length", 1));
        self.that(!name.contains([':', '*']), name, member, pattern("[^:*]*"))
    }

    /// Tag keys and values as AWS takes them; keys that start with `aws:` are AWS's own.
    pub fn tags(&mut self, tags: &BTreeMap<String, String>) -> &mut Self {
        let within = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
        let count = tags.len();
        self.that(count <= MAX_TAGS, format!("[{count} tags]"), "tags", at_most("length", MAX_TAGS));
        for (key, value) in tags {
            let key_holds = !key.starts_with("aws:")
                && (1..=128).contains(&key.chars().count())
                && key.chars().all(within);
            self.that(
                key_holds,
                key,
                "tags",
                r"Map keys must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$]",
            );
            let value_holds = value.chars().count() <= 256 && value.chars().all(within);
            self.that(
                value_holds,
                value,
                "tags",
                r"Map value must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$]",
            );
        }
        self
    }

    /// A member that must be there but is not.
    pub fn missing(&mut self, member: &str) -> &mut Self {
        self.broken
            .push(format!("Value null at '{member}' failed to satisfy constraint: Member must not be null"));
        self
    }

    /// `InvalidParameterException` with every broken constraint, or nothing.
    pub fn finish(&mut self) -> Result<(), LogsError> {
        if self.name_too_long {
            let text = "Invalid LogGroup or LogStream, both must have length less than or equal to 512.";
            return Err(LogsError::InvalidParameter(text.into()));
        }
        match self.broken.len() {
            0 => Ok(()),
            n => {
                let errors = if n == 1 { "error" } else { "errors" };
                let all = self.broken.join("; ");
                Err(LogsError::InvalidParameter(format!("{n} validation {errors} detected: {all}")))
            }
        }
    }
}

/// Adds tags, and replaces values of keys that are there.
///
/// # Errors
/// `TooManyTags`: more than [`MAX_TAGS`] in all.
pub fn add_tags(
    kept: &mut BTreeMap<String, String>,
    more: BTreeMap<String, String>,
) -> Result<(), LogsError> {
    kept.extend(more);
    if kept.len() > MAX_TAGS {
        return Err(LogsError::TooManyTags("Too many tags: a resource can have at most 50 tags."));
    }
    Ok(())
}

/// `Member must have … less than or equal to …`; `what` is `length` or `value`.
pub fn at_most(what: &str, n: impl Display) -> String {
    format!("Member must have {what} less than or equal to {n}")
}

/// `Member must have … greater than or equal to …`.
pub fn at_least(what: &str, n: impl Display) -> String {
    format!("Member must have {what} greater than or equal to {n}")
}

/// `Member must satisfy enum value set: [A, B]`.
pub fn one_of<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<String> = values.into_iter().map(|v| v.to_string()).collect();
    format!("Member must satisfy enum value set: [{}]", values.join(", "))
}

fn pattern(re: &str) -> String {
    format!("Member must satisfy regular expression pattern: {re}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(constraints: &mut Constraints, expect: &str) {
        let text = constraints.finish().map_or_else(|e| e.to_string(), |()| String::new());
        assert_eq!(text, expect);
    }

    #[test]
    fn texts_are_those_of_aws() {
        check(Constraints::new().range(Some(10_000), "limit", 1, 10_000), "");
        check(
            Constraints::new().range(Some(10_001), "limit", 1, 10_000),
            "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: \
             Member must have value less than or equal to 10000",
        );
        check(
            Constraints::new().group_name("a b", "logGroupName").range(Some(0), "limit", 1, 50),
            "2 validation errors detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+; \
             Value '0' at 'limit' failed to satisfy constraint: \
             Member must have value greater than or equal to 1",
        );
        check(
            Constraints::new().stream_name(&"s".repeat(513), "logStreamName"),
            "Invalid LogGroup or LogStream, both must have length less than or equal to 512.",
        );
    }

    #[test]
    fn names_are_those_of_the_model() {
        for (name, group, stream) in [
            ("/aws/vpc#flow-log_1.x", true, true),
            ("a b", false, true),
            ("ä", false, true),
            ("a:b", false, false),
            ("a*", false, false),
            ("", false, false),
            (&"x".repeat(512), true, true),
            (&"x".repeat(513), false, false),
        ] {
            assert_eq!(Constraints::new().group_name(name, "n").finish().is_ok(), group, "{name}");
            assert_eq!(Constraints::new().stream_name(name, "n").finish().is_ok(), stream, "{name}");
        }
    }

    #[test]
    fn tags_are_those_of_the_model() {
        for (key, value, ok) in [
            ("team", "net ops/é+1", true),
            ("team", "", true),
            ("", "x", false),
            ("aws:x", "x", false),
            ("a*b", "x", false),
            ("k", "a*b", false),
            (&"k".repeat(129), "x", false),
            ("k", &"v".repeat(257), false),
        ] {
            let tags = BTreeMap::from([(key.to_owned(), value.to_owned())]);
            assert_eq!(Constraints::new().tags(&tags).finish().is_ok(), ok, "{key}={value}");
        }
        let many = (0..51).map(|i| (format!("k{i}"), String::new())).collect();
        assert!(Constraints::new().tags(&many).finish().is_err());
    }
}
