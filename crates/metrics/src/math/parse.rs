//! The text of metric math.

use super::MathError;
use std::collections::BTreeSet;

/// An expression as it was written.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    Number(f64),
    Text(String),
    Name(String),
    List(Vec<Expression>),
    Negative(Box<Expression>),
    Operation(&'static str, Box<Expression>, Box<Expression>),
    Call(String, Vec<Expression>),
}

/// Parentheses and calls within each other.
const MAX_DEPTH: usize = 32;

/// By binding, loosest first; the longer of two that begin alike comes first.
const LEVELS: [&[(&str, &str)]; 5] = [
    &[("||", "||"), ("OR ", "||")],
    &[("&&", "&&"), ("AND ", "&&")],
    &[("==", "=="), ("!=", "!="), ("<=", "<="), (">=", ">="), ("<", "<"), (">", ">")],
    &[("+", "+"), ("-", "-")],
    &[("*", "*"), ("/", "/")],
];

/// Reads an expression.
pub fn parse(text: &str) -> Result<Expression, MathError> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let expression = parser.level(0)?;
    parser.blanks();
    if parser.rest().is_empty() { Ok(expression) } else { Err(parser.error()) }
}

/// The names that an expression refers to.
pub fn names(expression: &Expression) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(expression, &mut |part| {
        if let Expression::Name(name) = part {
            found.insert(name.clone());
        }
    });
    found
}

/// Whether it calls METRICS().
pub fn uses_metrics(expression: &Expression) -> bool {
    let mut found = false;
    walk(expression, &mut |part| found |= matches!(part, Expression::Call(name, _) if name == "METRICS"));
    found
}

fn walk(expression: &Expression, visit: &mut impl FnMut(&Expression)) {
    visit(expression);
    match expression {
        Expression::Number(_) | Expression::Text(_) | Expression::Name(_) => {}
        Expression::List(parts) | Expression::Call(_, parts) => parts.iter().for_each(|p| walk(p, visit)),
        Expression::Negative(part) => walk(part, visit),
        Expression::Operation(_, a, b) => {
            walk(a, visit);
            walk(b, visit);
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self) -> MathError {
        MathError::Syntax(self.text.get(..self.at).map_or(0, |before| before.chars().count()) + 1)
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn eat(&mut self, word: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn expect(&mut self, word: &str) -> Result<(), MathError> {
        if self.eat(word) { Ok(()) } else { Err(self.error()) }
    }

    fn take(&mut self, holds: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let taken = rest.get(..rest.find(|c| !holds(c)).unwrap_or(rest.len())).unwrap_or_default();
        self.at += taken.len();
        taken
    }

    fn level(&mut self, level: usize) -> Result<Expression, MathError> {
        let Some(operators) = LEVELS.get(level) else { return self.power() };
        let mut left = self.level(level + 1)?;
        while let Some((_, name)) = operators.iter().find(|(word, _)| self.eat(word)) {
            let right = self.level(level + 1)?;
            left = Expression::Operation(name, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn power(&mut self) -> Result<Expression, MathError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error());
        }
        let base = self.unary()?;
        let whole = match self.eat("^") {
            true => Expression::Operation("^", Box::new(base), Box::new(self.power()?)),
            false => base,
        };
        self.depth -= 1;
        Ok(whole)
    }

    fn unary(&mut self) -> Result<Expression, MathError> {
        if self.eat("-") {
            return Ok(Expression::Negative(Box::new(self.power()?)));
        }
        if self.eat("(") {
            let inner = self.level(0)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.eat("[") {
            return Ok(Expression::List(self.items("]")?));
        }
        for quote in ['"', '\''] {
            if self.rest().starts_with(quote) {
                self.at += 1;
                let text = self.take(|c| c != quote).to_owned();
                self.expect(&quote.to_string())?;
                return Ok(Expression::Text(text));
            }
        }
        if self.rest().starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            let digits = self.take(|c| c.is_ascii_digit() || c == '.');
            return digits.parse().map(Expression::Number).map_err(|_| self.error());
        }
        let name = self.take(|c| c.is_ascii_alphanumeric() || c == '_').to_owned();
        if name.is_empty() {
            return Err(self.error());
        }
        if self.eat("(") {
            let items = self.items(")")?;
            return Ok(Expression::Call(name.to_ascii_uppercase(), items));
        }
        Ok(Expression::Name(name))
    }

    fn items(&mut self, end: &str) -> Result<Vec<Expression>, MathError> {
        let mut items = Vec::new();
        if self.eat(end) {
            return Ok(items);
        }
        loop {
            items.push(self.level(0)?);
            if self.eat(end) {
                return Ok(items);
            }
            self.expect(",")?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_texts_are_refused() {
        for (text, column) in
            [("", 1), ("1 +", 4), ("(1", 3), ("SUM([a, b)", 10), ("a b", 3), ("1 $ 2", 3), ("\"x", 3)]
        {
            assert_eq!(parse(text), Err(MathError::Syntax(column)), "{text}");
        }
        assert!(parse(&"(".repeat(10_000)).is_err());
        assert!(parse(&"-".repeat(10_000)).is_err());
    }

    #[test]
    fn names_are_found() {
        let expression = parse("IF(a > 1 AND b, METRICS(), [c, -d])").unwrap();
        assert_eq!(names(&expression).into_iter().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
        assert!(uses_metrics(&expression));
    }
}
