//! What the two kinds of filters share: names, and pages in order of them.

use crate::error::LogsError;
use crate::limits::{Constraints, MAX_PATTERN_CHARS, at_least, at_most, one_of};
use crate::pattern::{Pattern, PatternError};
use crate::record::GroupMeta;
use crate::token::{list_token, read_list_token};

/// `[^:*]*`, 1 to 512 characters.
pub(super) fn filter_name(constraints: &mut Constraints, name: &str, member: &str) {
    constraints.length(name, member, 1, 512);
    let rule = "Member must satisfy regular expression pattern: [^:*]*";
    constraints.that(!name.contains([':', '*']), name, member, rule);
}

/// `@aws.account` and `@aws.region`, which a filter may add.
pub(super) fn system_fields(constraints: &mut Constraints, given: &[String], member: &str) {
    const KNOWN: [&str; 2] = ["@aws.account", "@aws.region"];
    for (i, field) in given.iter().enumerate() {
        let member = format!("{member}.{}.member", i + 1);
        constraints.that(KNOWN.contains(&field.as_str()), field, &member, one_of(KNOWN));
    }
}

/// `filterPattern`: 0 to 1,024 characters.
pub(super) fn pattern_length(constraints: &mut Constraints, pattern: &str) {
    constraints.length(pattern, "filterPattern", 0, MAX_PATTERN_CHARS);
}

/// A pattern that parses, or AWS's refusal: `kind` is `filter` or `metric filter`.
pub(super) fn parse(pattern: &str, kind: &str) -> Result<Pattern, LogsError> {
    Pattern::parse(pattern).map_err(|error| {
        LogsError::InvalidParameter(match error {
            PatternError::Syntax { .. } => format!("Invalid {kind} pattern"),
            other => other.to_string(),
        })
    })
}

/// Most filters of a group that have regular expressions, of both kinds.
/// Source: user guide, "Supported regular expressions (regex) syntax".
const MAX_WITH_REGEXES: usize = 5;

/// Whether a filter with this pattern may be put, in place of the subscription
/// filter and the metric filter of these names.
pub(super) fn room_for_regexes(
    meta: &GroupMeta,
    pattern: &Pattern,
    subscription: &str,
    metric: &str,
) -> Result<(), LogsError> {
    if !pattern.has_regex() {
        return Ok(());
    }
    let subscriptions =
        meta.subscription_filters.iter().filter(|(name, _)| *name != subscription).map(|(_, f)| &f.pattern);
    let metrics = meta.metric_filters.iter().filter(|(name, _)| *name != metric).map(|(_, f)| &f.pattern);
    let others = subscriptions.chain(metrics);
    let count = others.filter(|text| Pattern::parse(text).is_ok_and(|pattern| pattern.has_regex())).count();
    if count >= MAX_WITH_REGEXES {
        return Err(LogsError::LimitExceeded("Resource limit exceeded."));
    }
    Ok(())
}

/// The length of a list that a modelled member has.
pub(super) fn list_length(
    constraints: &mut Constraints,
    length: usize,
    shown: &str,
    member: &str,
    (min, max): (usize, usize),
) {
    constraints.that(length >= min, shown, member, at_least("length", min));
    constraints.that(length <= max, shown, member, at_most("length", max));
}

/// The items after `next_token`, at most `size`, with the token of what follows.
/// `key` orders them, without ties.
pub(super) fn paged<T>(
    mut items: Vec<T>,
    size: usize,
    next_token: Option<&str>,
    list: &str,
    key: impl Fn(&T) -> String,
) -> Result<(Vec<T>, Option<String>), LogsError> {
    let after = next_token.map(|token| read_list_token(token, list)).transpose()?;
    items.sort_by_cached_key(|item| key(item));
    items.retain(|item| after.as_ref().is_none_or(|after| key(item) > *after));
    let more = items.len() > size;
    items.truncate(size);
    let next = items.last().filter(|_| more).map(|item| list_token(list, &key(item)));
    Ok((items, next))
}
