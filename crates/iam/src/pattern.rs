//! Wildcard patterns: `*` stands for any run of characters, `?` for one.
//!
//! A [`Pattern`] is a list of tokens, so that text substituted for a policy
//! variable can never become a wildcard. Matching walks the text once and goes
//! back only to the last `*`: at worst pattern length times text length, never
//! exponential, whatever a policy says.
//!
//! Source: IAM user guide, "IAM JSON policy elements: Action" and "Resource".

use crate::context::Context;
use crate::variable::Template;

/// One step of a [`Pattern`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// Exactly this character.
    Char(char),
    /// `?`
    AnyChar,
    /// `*`
    AnyRun,
}

/// A text with wildcards.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pattern(Vec<Token>);

impl Pattern {
    /// Reads `*` and `?` as wildcards; every other character stands for itself.
    pub fn parse(text: &str) -> Self {
        let mut pattern = Self::default();
        pattern.push_wild(text);
        pattern
    }

    /// Appends text in which `*` and `?` are wildcards.
    pub fn push_wild(&mut self, text: &str) {
        self.0.extend(text.chars().map(|c| match c {
            '*' => Token::AnyRun,
            '?' => Token::AnyChar,
            other => Token::Char(other),
        }));
    }

    /// Appends text that stands for itself.
    pub fn push_literal(&mut self, text: &str) {
        self.0.extend(text.chars().map(Token::Char));
    }

    /// Whether the whole of `text` matches, case-sensitively.
    pub fn matches(&self, text: &str) -> bool {
        walk(&self.0, text, |a, b| a == b)
    }

    /// Whether the whole of `text` matches, ASCII letters compared without case.
    pub fn matches_ignoring_case(&self, text: &str) -> bool {
        walk(&self.0, text, |a, b| a.eq_ignore_ascii_case(&b))
    }

    /// Whether `arn` matches segment by segment: a wildcard in one of the first
    /// five segments never crosses a colon, one in the sixth crosses anything.
    /// A pattern or text with fewer than six segments matches nothing.
    ///
    /// Source: IAM user guide, "Condition operators", ARN condition operators.
    pub fn matches_arn(&self, arn: &str) -> bool {
        let mut pattern = self.0.splitn(6, |token| *token == Token::Char(':'));
        let mut text = arn.splitn(6, ':');
        for _ in 0..6 {
            match (pattern.next(), text.next()) {
                (Some(tokens), Some(segment)) if walk(tokens, segment, |a, b| a == b) => {}
                _ => return false,
            }
        }
        true
    }
}

fn walk(tokens: &[Token], text: &str, same: impl Fn(char, char) -> bool) -> bool {
    let mut at = 0;
    let mut rest = text.chars();
    // Where to go on when the text after the last `*` does not match: the token
    // after it, and the text of which it then swallows one character more.
    let mut last_run = None;
    loop {
        let mut ahead = rest.clone();
        match (tokens.get(at), ahead.next()) {
            (Some(Token::AnyRun), _) => {
                at += 1;
                last_run = Some((at, rest.clone()));
            }
            (None, None) => return true,
            (Some(Token::AnyChar), Some(_)) => {
                at += 1;
                rest = ahead;
            }
            (Some(Token::Char(wanted)), Some(found)) if same(*wanted, found) => {
                at += 1;
                rest = ahead;
            }
            // The text is used up: a longer run would only leave less of it.
            (Some(_), None) => return false,
            (_, Some(_)) => match &mut last_run {
                None => return false,
                Some((after, from)) => {
                    from.next();
                    at = *after;
                    rest = from.clone();
                }
            },
        }
    }
}

/// An `Action` of a policy: `service:Name` with wildcards, or `*`. Both parts
/// ignore case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionPattern {
    Any,
    Of { service: Pattern, name: Pattern },
}

impl ActionPattern {
    /// None when the text is neither `*` nor two parts around one colon.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        let (service, name) = text.split_once(':')?;
        if service.is_empty() || name.is_empty() || name.contains(':') {
            return None;
        }
        Some(Self::Of { service: Pattern::parse(service), name: Pattern::parse(name) })
    }

    /// Whether an action such as `ec2:CreateFlowLogs` is meant.
    pub fn matches(&self, action: &str) -> bool {
        match (self, action.split_once(':')) {
            (Self::Any, _) => true,
            (Self::Of { service, name }, Some((s, n))) => {
                service.matches_ignoring_case(s) && name.matches_ignoring_case(n)
            }
            (Self::Of { .. }, None) => false,
        }
    }
}

/// A `Resource` of a policy: an ARN with wildcards and, after its fifth colon,
/// policy variables; or `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourcePattern {
    Any,
    Arn { head: Pattern, tail: Template },
}

impl ResourcePattern {
    /// None when the text is neither `*` nor six segments that begin with `arn`.
    /// `variables` says whether `${…}` is a variable (policy version 2012-10-17).
    pub fn parse(text: &str, variables: bool) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        let (colon, _) = text.match_indices(':').nth(4)?;
        let (head, tail) = text.split_at(colon + 1);
        if !head.starts_with("arn:") || tail.is_empty() {
            return None;
        }
        Some(Self::Arn { head: Pattern::parse(head), tail: Template::parse(tail, variables) })
    }

    /// The condition keys that stand in it as variables.
    pub fn variables(&self) -> Vec<String> {
        match self {
            Self::Any => Vec::new(),
            Self::Arn { tail, .. } => tail.variables(),
        }
    }

    /// Whether `resource` is meant: an ARN, or `*` for an action without
    /// resources, which only `*` covers. A variable without a value in `context`
    /// makes the pattern match nothing.
    pub fn matches(&self, resource: &str, context: &Context) -> bool {
        match self {
            Self::Any => true,
            Self::Arn { head, tail } => tail.pattern(context).is_some_and(|tail| {
                let mut whole = head.clone();
                whole.0.extend(tail.0);
                whole.matches_arn(resource)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, word for word; exponential.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern.first(), text.first()) {
            (None, None) => true,
            (Some('*'), _) => naive(&pattern[1..], text) || (!text.is_empty() && naive(pattern, &text[1..])),
            (Some('?'), Some(_)) => naive(&pattern[1..], &text[1..]),
            (Some(p), Some(t)) => p == t && naive(&pattern[1..], &text[1..]),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matching_equals_its_definition(pattern in "[ab:é*?]{0,10}", text in "[ab:é*?]{0,10}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(Pattern::parse(&pattern).matches(&text), naive(&p, &t));
        }

        #[test]
        fn arns_match_segment_by_segment(pattern in "([ab*?]{0,3}:){4,6}[ab:*?]{0,4}", text in "([ab]{0,3}:){4,6}[ab:]{0,4}") {
            let (p, t): (Vec<&str>, Vec<&str>) = (pattern.splitn(6, ':').collect(), text.splitn(6, ':').collect());
            let expected = p.len() == 6 && t.len() == 6 && p.iter().zip(&t).all(|(p, t)| {
                naive(&p.chars().collect::<Vec<_>>(), &t.chars().collect::<Vec<_>>())
            });
            prop_assert_eq!(Pattern::parse(&pattern).matches_arn(&text), expected);
        }
    }

    #[test]
    fn a_hostile_pattern_is_answered_at_once() {
        let pattern = Pattern::parse(&("*a".repeat(2000) + "b"));
        assert!(!pattern.matches(&"a".repeat(20_000)));
    }

    #[test]
    fn actions() {
        for (pattern, action, expected) in [
            ("*", "ec2:CreateFlowLogs", true),
            ("ec2:CreateFlowLogs", "ec2:CreateFlowLogs", true),
            ("EC2:createflowlogs", "ec2:CreateFlowLogs", true),
            ("ec2:Create*", "ec2:CreateFlowLogs", true),
            ("ec2:*Logs", "ec2:CreateFlowLogs", true),
            ("ec?:Describe*", "ec2:DescribeVpcs", true),
            ("e*:*", "ec2:DescribeVpcs", true),
            ("ec2:Describe?pcs", "ec2:DescribeVpcs", true),
            ("ec2:Describe", "ec2:DescribeVpcs", false),
            ("logs:*", "ec2:DescribeVpcs", false),
            ("*:DescribeVpcs", "ec2:DescribeVpcs", true),
        ] {
            assert_eq!(
                ActionPattern::parse(pattern).unwrap().matches(action),
                expected,
                "{pattern} on {action}"
            );
        }
        for bad in ["", "ec2", "ec2:", ":Describe", "ec2:a:b", "**"] {
            assert_eq!(ActionPattern::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn resources() {
        let mut context = Context::default();
        context.set("aws:username", "kim");
        for (pattern, resource, expected) in [
            ("*", "*", true),
            ("*", "arn:aws:s3:::b", true),
            ("arn:aws:s3:::b", "*", false),
            ("arn:aws:s3:::*", "*", false),
            ("arn:*:*:*:*:*", "*", false),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b/a/b:c", true),
            ("arn:aws:s3:::B", "arn:aws:s3:::b", false),
            ("arn:aws:logs:*:1:log-group:/a/*", "arn:aws:logs:us-east-1:1:log-group:/a/b:log-stream:x", true),
            // A wildcard stays within its segment.
            ("arn:aws:logs:*:log-group:x", "arn:aws:logs:us-east-1:1:log-group:x", false),
            ("arn:aws:logs:us-*:1:*", "arn:aws:logs:us-east-1:1:log-group:x", true),
            ("arn:aws:ec2:us-east-?:1:vpc/*", "arn:aws:ec2:us-east-2:1:vpc/vpc-1", true),
            ("arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/kim/x", true),
            ("arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/lee/x", false),
            ("arn:aws:s3:::b/${aws:userid}/*", "arn:aws:s3:::b//x", false),
            ("arn:aws:s3:::b/${aws:userid, 'nobody'}/*", "arn:aws:s3:::b/nobody/x", true),
            ("arn:aws:s3:::b/${*}", "arn:aws:s3:::b/x", false),
            ("arn:aws:s3:::b/${*}", "arn:aws:s3:::b/*", true),
        ] {
            let parsed = ResourcePattern::parse(pattern, true).unwrap();
            assert_eq!(parsed.matches(resource, &context), expected, "{pattern} on {resource}");
        }
        let old = ResourcePattern::parse("arn:aws:s3:::b/${aws:username}", false).unwrap();
        assert!(!old.matches("arn:aws:s3:::b/kim", &context));
        assert!(old.matches("arn:aws:s3:::b/${aws:username}", &context));
        for bad in ["", "b", "arn:aws:*:role/x", "arn:aws:s3", "arn:aws:s3:::", "urn:aws:s3:::b", "**"] {
            assert_eq!(ResourcePattern::parse(bad, true), None, "{bad}");
        }
    }

    #[test]
    fn a_variables_value_is_no_wildcard() {
        let mut context = Context::default();
        context.set("aws:PrincipalTag/team", "*");
        let pattern = ResourcePattern::parse("arn:aws:s3:::${aws:principaltag/TEAM}", true).unwrap();
        assert!(!pattern.matches("arn:aws:s3:::anything", &context));
        assert!(pattern.matches("arn:aws:s3:::*", &context));
    }
}
