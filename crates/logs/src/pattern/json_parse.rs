//! The text of JSON patterns.
//!
//! ```text
//! pattern   = "{" any "}"
//! any       = all *("||" all)
//! all       = part *("&&" part)
//! part      = "(" any ")" | selector predicate
//! selector  = "$" 1*("." name | ".*" | "[" digits "]" | "[*]" | ".['" key "']")
//! predicate = operator value | "IS" ("NULL" | "TRUE" | "FALSE") | "NOT" "EXISTS"
//! ```

use super::json::{Condition, Expression, JsonPattern, MAX_CONDITIONS, Predicate, Step};
use super::lex::Cursor;
use super::{PatternError, test};

/// Of parentheses.
const MAX_DEPTH: usize = 64;

/// Wildcards in a whole pattern; a single selector may have one.
/// Source: user guide, "Match terms in JSON log events", wildcard quotas.
const MAX_WILDCARDS: usize = 3;

pub(super) fn parse(cursor: &mut Cursor) -> Result<JsonPattern, PatternError> {
    let mut parser = Parser { cursor, conditions: Vec::new(), wildcards: 0, regexes: 0, depth: 0 };
    parser.cursor.expect("{")?;
    let expression = parser.any()?;
    parser.cursor.expect("}")?;
    parser.cursor.expect_end()?;
    Ok(JsonPattern::new(parser.conditions, expression))
}

/// A selector alone, as metric values and dimensions have it.
pub(super) fn selector(cursor: &mut Cursor) -> Result<Vec<Step>, PatternError> {
    Parser { cursor, conditions: Vec::new(), wildcards: 0, regexes: 0, depth: 0 }.selector()
}

struct Parser<'c, 'p> {
    cursor: &'c mut Cursor<'p>,
    conditions: Vec<Condition>,
    wildcards: usize,
    regexes: usize,
    depth: usize,
}

impl Parser<'_, '_> {
    fn any(&mut self) -> Result<Expression, PatternError> {
        let mut parts = vec![self.all()?];
        while self.cursor.eat("||") {
            parts.push(self.all()?);
        }
        Ok(Expression::Any(parts))
    }

    fn all(&mut self) -> Result<Expression, PatternError> {
        let mut parts = vec![self.part()?];
        while self.cursor.eat("&&") {
            parts.push(self.part()?);
        }
        Ok(Expression::All(parts))
    }

    /// With the blanks around it.
    fn part(&mut self) -> Result<Expression, PatternError> {
        self.cursor.skip_blanks();
        let start = self.cursor.clone();
        let expression = if self.cursor.eat("(") {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(start.error(format!("more than {MAX_DEPTH} parentheses within each other")));
            }
            let expression = self.any()?;
            self.cursor.expect(")")?;
            self.depth -= 1;
            expression
        } else {
            let selector = self.selector()?;
            self.cursor.skip_blanks();
            let predicate = self.predicate()?;
            if self.conditions.len() == MAX_CONDITIONS {
                return Err(start.error("too many conditions"));
            }
            self.conditions.push(Condition { selector, predicate });
            Expression::Condition(self.conditions.len() - 1)
        };
        self.cursor.skip_blanks();
        Ok(expression)
    }

    fn selector(&mut self) -> Result<Vec<Step>, PatternError> {
        let start = self.cursor.clone();
        if !self.cursor.eat("$") {
            return Err(start.expected("a selector such as $.name"));
        }
        let mut steps = Vec::new();
        loop {
            let step = if self.cursor.eat(".*") {
                Step::AnyMember
            } else if self.cursor.eat(".['") || self.cursor.eat("['") {
                let key = self.cursor.take_while(|c| c != '\'').to_owned();
                self.cursor.expect("']")?;
                Step::Member(key)
            } else if self.cursor.eat(".") {
                match self.cursor.take_while(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
                    "" => {
                        return Err(self.cursor.expected("a name of letters, digits, - and _, or ['name']"));
                    }
                    name => Step::Member(name.to_owned()),
                }
            } else if self.cursor.eat("[*]") {
                Step::AnyElement
            } else if self.cursor.eat("[") {
                let digits = self.cursor.take_while(|c| c.is_ascii_digit());
                let index = digits.parse().map_err(|_| self.cursor.expected("an index"))?;
                self.cursor.expect("]")?;
                Step::Element(index)
            } else {
                break;
            };
            steps.push(step);
        }
        if steps.is_empty() {
            return Err(self.cursor.expected("'.' or '['"));
        }
        let wildcards =
            steps.iter().filter(|step| matches!(step, Step::AnyMember | Step::AnyElement)).count();
        self.wildcards += wildcards;
        if wildcards > 1 {
            return Err(start.error("more than one wildcard in a selector"));
        }
        if self.wildcards > MAX_WILDCARDS {
            return Err(start.error(format!("more than {MAX_WILDCARDS} wildcards in selectors")));
        }
        Ok(steps)
    }

    fn predicate(&mut self) -> Result<Predicate, PatternError> {
        if self.cursor.eat("IS") {
            self.cursor.skip_blanks();
            return match self.cursor.take_while(char::is_alphanumeric) {
                "NULL" => Ok(Predicate::IsNull),
                "TRUE" => Ok(Predicate::Is(true)),
                "FALSE" => Ok(Predicate::Is(false)),
                _ => Err(self.cursor.error("expected NULL, TRUE or FALSE after IS")),
            };
        }
        if self.cursor.eat("NOT") {
            self.cursor.skip_blanks();
            return match self.cursor.take_while(char::is_alphanumeric) {
                "EXISTS" => Ok(Predicate::NotExists),
                _ => Err(self.cursor.error("expected EXISTS after NOT")),
            };
        }
        test::parse(self.cursor, &[')', '}'], &mut self.regexes).map(Predicate::Compares)
    }
}
