//! `Condition`: an operator, a condition key, and the values it is compared with.
//!
//! All conditions of a statement must hold. The values of one key are ORed; with
//! a negated operator (`StringNotEquals`) none of them may match. A key that the
//! request does not have makes positive operators false and negated ones true.
//!
//! | prefix | holds when |
//! |---|---|
//! | `ForAllValues:` | every value of the request does, or there is none |
//! | `ForAnyValue:` | at least one value of the request does |
//! | suffix `IfExists` | as without it, or the request lacks the key |
//!
//! Source: IAM user guide, "IAM JSON policy elements: Condition operators" and
//! "Set operators for multivalued context keys".

mod operator;
#[cfg(test)]
mod tests;
mod value;

use crate::context::Context;
use operator::{Operator, Set, Test};
use value::Expected;

/// One operator applied to one key.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    operator: Operator,
    key: String,
    expected: Vec<Expected>,
}

impl Condition {
    /// `variables` says whether `${…}` in the values is a variable. The error
    /// says what is wrong, without a full stop, to be set into a sentence.
    pub(crate) fn parse(
        operator: &str,
        key: &str,
        values: &[String],
        variables: bool,
    ) -> Result<Self, String> {
        let Some(parsed) = Operator::parse(operator) else {
            return Err(format!("Invalid Condition type : {operator}"));
        };
        let expected = values
            .iter()
            .map(|value| {
                Expected::parse(parsed.test, value, variables)
                    .ok_or_else(|| format!("The value '{value}' of {key} does not fit {operator}"))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { operator: parsed, key: key.to_owned(), expected })
    }

    /// Whether there is an operator of this name.
    pub(crate) fn is_operator(name: &str) -> bool {
        Operator::parse(name).is_some()
    }

    /// The condition key, as written.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The keys that stand in its values as variables.
    pub fn variables(&self) -> Vec<String> {
        self.expected.iter().flat_map(Expected::variables).collect()
    }

    /// Whether the request satisfies the condition.
    pub fn holds(&self, context: &Context) -> bool {
        let value = context.get(&self.key);
        let actual = value.map(|value| value.as_slice()).unwrap_or_default();
        let Operator { test, negated, set, if_exists } = self.operator;
        if test == Test::Null {
            let absent = actual.iter().all(|value| value.is_empty());
            return self.expected.contains(&Expected::Null(absent));
        }
        if actual.is_empty() {
            return if_exists
                || match set {
                    None => negated,
                    Some(Set::ForAllValues) => true,
                    Some(Set::ForAnyValue) => false,
                };
        }
        let matches = |value: &String| self.expected.iter().any(|e| e.matches(test, value, context));
        match set {
            None => actual.iter().any(matches) != negated,
            Some(Set::ForAllValues) => actual.iter().all(|value| matches(value) != negated),
            Some(Set::ForAnyValue) => actual.iter().any(|value| matches(value) != negated),
        }
    }
}
