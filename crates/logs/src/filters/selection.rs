//! `fieldSelectionCriteria`: for which accounts and regions a filter is.
//!
//! ```text
//! @aws.region = "us-east-1" AND (@aws.account IN ["111122223333"] OR NOT @aws.account = "444455556666")
//! ```
//!
//! A group here has events of its own account and region only, so that a filter
//! is for all of them or for none.
//!
//! Source: user guide, "Field selection criteria" of centralized log groups.

use crate::error::LogsError;
use crate::limits::Constraints;
use crate::store::Scope;

/// How deep parentheses and `NOT` may be.
const MAX_DEPTH: usize = 16;

/// Whether criteria are true of an account and region. Blank ones are.
pub(super) fn selects(criteria: Option<&str>, scope: &Scope) -> Result<bool, LogsError> {
    let text = criteria.unwrap_or_default();
    if text.trim().is_empty() {
        return Ok(true);
    }
    Constraints::new().length(text, "fieldSelectionCriteria", 0, 2000).finish()?;
    let mut reader = Reader { rest: text, scope };
    let holds = reader.any(0).filter(|_| reader.rest.trim().is_empty());
    holds.ok_or_else(|| {
        let example = "@aws.region = \"us-east-1\" AND @aws.account IN [\"123456789012\"]";
        LogsError::InvalidParameter(format!("Invalid fieldSelectionCriteria; an example: {example}"))
    })
}

struct Reader<'a> {
    rest: &'a str,
    scope: &'a Scope,
}

impl<'a> Reader<'a> {
    fn eat(&mut self, word: &str) -> bool {
        self.rest = self.rest.trim_start();
        let Some((here, rest)) = self.rest.split_at_checked(word.len()) else { return false };
        let is_word = word.chars().all(|c| c.is_ascii_alphabetic());
        let goes_on = is_word && rest.starts_with(|c: char| c.is_ascii_alphanumeric());
        let is_here = here.eq_ignore_ascii_case(word) && !goes_on;
        if is_here {
            self.rest = rest;
        }
        is_here
    }

    fn any(&mut self, depth: usize) -> Option<bool> {
        let mut holds = self.all(depth)?;
        while self.eat("OR") {
            holds |= self.all(depth)?;
        }
        Some(holds)
    }

    fn all(&mut self, depth: usize) -> Option<bool> {
        let mut holds = self.one(depth)?;
        while self.eat("AND") {
            holds &= self.one(depth)?;
        }
        Some(holds)
    }

    fn one(&mut self, depth: usize) -> Option<bool> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.eat("NOT") {
            return self.one(depth + 1).map(|holds| !holds);
        }
        if self.eat("(") {
            let holds = self.any(depth + 1)?;
            return self.eat(")").then_some(holds);
        }
        let is = if self.eat("@aws.account") {
            &self.scope.account
        } else if self.eat("@aws.region") {
            &self.scope.region
        } else {
            return None;
        };
        if self.eat("!=") {
            return self.value().map(|value| value != is);
        }
        if self.eat("=") {
            return self.value().map(|value| value == is);
        }
        let negated = self.eat("NOT");
        if !self.eat("IN") || !self.eat("[") {
            return None;
        }
        let mut found = false;
        loop {
            found |= self.value()? == is;
            if self.eat("]") {
                return Some(found != negated);
            }
            if !self.eat(",") {
                return None;
            }
        }
    }

    /// In either kind of quotes.
    fn value(&mut self) -> Option<&'a str> {
        self.rest = self.rest.trim_start();
        let quote = self.rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, rest) = self.rest[1..].split_once(quote)?;
        self.rest = rest;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criteria() {
        let scope = Scope::new("123456789012", "us-east-1");
        for (text, expected) in [
            ("", Some(true)),
            (" ", Some(true)),
            ("@aws.region = \"us-east-1\"", Some(true)),
            ("@aws.region='eu-west-1'", Some(false)),
            ("@aws.region != \"us-east-1\"", Some(false)),
            ("@aws.account IN [\"1\", \"123456789012\"]", Some(true)),
            ("@aws.account NOT IN [\"1\"]", Some(true)),
            ("@aws.region NOT IN [\"us-east-1\"]", Some(false)),
            ("NOT @aws.account = \"1\" AND @aws.region = \"us-east-1\"", Some(true)),
            ("@aws.account = \"1\" OR (@aws.region = \"us-east-1\" and @aws.account != \"2\")", Some(true)),
            ("@aws.account = \"1\" OR @aws.account = \"2\"", Some(false)),
            ("@aws.region", None),
            ("@aws.regions = \"a\"", None),
            ("@aws.region = us-east-1", None),
            ("@aws.region IN []", None),
            ("@aws.region = \"a\" \"b\"", None),
            ("(@aws.region = \"a\"", None),
            ("action = \"REJECT\"", None),
            ("ä", None),
        ] {
            assert_eq!(selects(Some(text), &scope).ok(), expected, "{text}");
        }
        assert!(selects(Some(&"NOT ".repeat(1000)), &scope).is_err());
    }
}
