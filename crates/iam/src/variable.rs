//! Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'default'}`,
//! and the escapes `${*}`, `${?}`, `${$}` for the characters themselves.
//!
//! Only policies of version 2012-10-17 have them; in older ones the text is
//! taken as it stands. Only keys with a single value can be inserted.
//!
//! Source: IAM user guide, "IAM policy elements: Variables and tags".

use crate::context::Context;
use crate::pattern::Pattern;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// As written; `*` and `?` are wildcards where wildcards are allowed.
    Text(String),
    /// From `${*}`, `${?}` or `${$}`: never a wildcard.
    Literal(String),
    Variable {
        key: String,
        default: Option<String>,
    },
}

/// A text of a policy in which variables wait for their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

impl Template {
    /// With `variables` false, everything stands for itself. A `${` that never
    /// closes, or holds neither a key nor an escape, is text as well.
    pub fn parse(text: &str, variables: bool) -> Self {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while variables && let Some(start) = rest.find("${") {
            let Some(length) = rest[start..].find('}') else { break };
            let (before, from) = rest.split_at(start);
            let (whole, after) = from.split_at(length + 1);
            plain.push_str(before);
            rest = after;
            match part(&whole[2..length]) {
                Some(part) => {
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(part);
                }
                None => plain.push_str(whole),
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Self(parts)
    }

    /// Whether a value of the request is needed to read it.
    pub fn has_variables(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Variable { .. }))
    }

    /// The keys of its variables.
    pub fn variables(&self) -> Vec<String> {
        let key = |part: &Part| match part {
            Part::Variable { key, .. } => Some(key.clone()),
            Part::Text(_) | Part::Literal(_) => None,
        };
        self.0.iter().filter_map(key).collect()
    }

    /// The text with its values; None when a variable has neither a single value
    /// nor a default. `*` and `?` are ordinary characters.
    pub fn text(&self, context: &Context) -> Option<String> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(t) | Part::Literal(t) => text.push_str(t),
                Part::Variable { key, default } => text.push_str(value(key, default, context)?),
            }
        }
        Some(text)
    }

    /// The same as a pattern: wildcards are those that the policy's author wrote.
    pub fn pattern(&self, context: &Context) -> Option<Pattern> {
        let mut pattern = Pattern::default();
        for part in &self.0 {
            match part {
                Part::Text(text) => pattern.push_wild(text),
                Part::Literal(text) => pattern.push_literal(text),
                Part::Variable { key, default } => pattern.push_literal(value(key, default, context)?),
            }
        }
        Some(pattern)
    }
}

fn value<'a>(key: &str, default: &'a Option<String>, context: &'a Context) -> Option<&'a str> {
    context.single(key).or(default.as_deref())
}

/// What stands between `${` and `}`.
fn part(inside: &str) -> Option<Part> {
    if matches!(inside, "*" | "?" | "$") {
        return Some(Part::Literal(inside.to_owned()));
    }
    let (key, default) = match inside.split_once(',') {
        None => (inside, None),
        Some((key, default)) => {
            (key, Some(default.trim().strip_prefix('\'')?.strip_suffix('\'')?.to_owned()))
        }
    };
    let key = key.trim();
    key.contains(':').then(|| Part::Variable { key: key.to_owned(), default })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_take_the_requests_values() {
        let mut context = Context::default();
        context.set("aws:username", "kim");
        context.set_many("aws:TagKeys", ["a", "b"]);
        for (template, variables, expected) in [
            ("plain", true, Some("plain")),
            ("", true, Some("")),
            ("${aws:username}", true, Some("kim")),
            ("a/${AWS:UserName}/b", true, Some("a/kim/b")),
            ("${aws:username}", false, Some("${aws:username}")),
            ("${aws:userid}", true, None),
            ("${aws:userid, 'none'}", true, Some("none")),
            ("${aws:userid,''}", true, Some("")),
            ("${aws:username, 'none'}", true, Some("kim")),
            ("${aws:TagKeys}", true, None),
            ("${aws:TagKeys, 'x'}", true, Some("x")),
            ("${*}${?}${$}", true, Some("*?$")),
            ("${open", true, Some("${open")),
            ("${nonsense}", true, Some("${nonsense}")),
            ("${}x${aws:username}", true, Some("${}xkim")),
            ("${aws:userid, none}", true, Some("${aws:userid, none}")),
        ] {
            let parsed = Template::parse(template, variables);
            assert_eq!(parsed.text(&context).as_deref(), expected, "{template}");
        }
    }
}
