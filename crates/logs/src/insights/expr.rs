//! Expressions, by precedence: or, and, not, comparisons, + -, * / %, ^, sign.

use super::QueryError;
use super::ast::{BinaryOp, Expr, LikePattern, Step, canonical};
use super::function::{Aggregate, Function, Percent};
use super::lex::Token;
use super::parse::Parser;
use super::period::Period;

/// How deep expressions may nest.
const MAX_DEPTH: usize = 40;
/// How long one level of an expression may be: it nests to the left.
const MAX_CHAIN: usize = 200;

/// What may not be the name of a field unless it is quoted.
const RESERVED: [&str; 7] = ["and", "or", "not", "in", "like", "as", "by"];

impl Parser<'_> {
    pub fn expr(&mut self) -> Result<Expr, QueryError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.take()?;
            return Err(self.wrong(format!("an expression nests at most {MAX_DEPTH} deep")));
        }
        let mut left = self.and()?;
        let mut length = 0;
        while self.word("or")? {
            self.check_chain(&mut length)?;
            left = binary(BinaryOp::Or, left, self.and()?);
        }
        self.depth -= 1;
        Ok(left)
    }

    fn check_chain(&self, length: &mut usize) -> Result<(), QueryError> {
        *length += 1;
        if *length > MAX_CHAIN {
            return Err(self.wrong(format!("an expression has at most {MAX_CHAIN} parts in a row")));
        }
        Ok(())
    }

    fn and(&mut self) -> Result<Expr, QueryError> {
        let mut left = self.not()?;
        let mut length = 0;
        while self.word("and")? {
            self.check_chain(&mut length)?;
            left = binary(BinaryOp::And, left, self.not()?);
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr, QueryError> {
        let mut length = 0;
        while self.word("not")? {
            self.check_chain(&mut length)?;
        }
        let of = self.comparison()?;
        // Twice is as good as never, but for the value, which is a truth value then.
        let negated = |of| Expr::Not(Box::new(of));
        Ok(match length {
            0 => of,
            n if n % 2 == 1 => negated(of),
            _ => negated(negated(of)),
        })
    }

    fn comparison(&mut self) -> Result<Expr, QueryError> {
        let left = self.sum()?;
        let op = match self.peek()? {
            Token::Symbol("=") => BinaryOp::Equal,
            Token::Symbol("!=") => BinaryOp::NotEqual,
            Token::Symbol("<") => BinaryOp::Less,
            Token::Symbol("<=") => BinaryOp::LessOrEqual,
            Token::Symbol(">") => BinaryOp::Greater,
            Token::Symbol(">=") => BinaryOp::GreaterOrEqual,
            Token::Symbol("=~") => {
                self.take()?;
                return self.like(left, false);
            }
            Token::Word(word) if word.eq_ignore_ascii_case("like") => {
                self.take()?;
                return self.like(left, false);
            }
            Token::Word(word) if word.eq_ignore_ascii_case("in") => {
                self.take()?;
                return self.list(left, false);
            }
            Token::Word(word) if word.eq_ignore_ascii_case("not") => {
                self.take()?;
                if self.word("like")? {
                    return self.like(left, true);
                }
                return if self.word("in")? { self.list(left, true) } else { Err(self.unexpected_next()) };
            }
            _ => return Ok(left),
        };
        self.take()?;
        Ok(binary(op, left, self.sum()?))
    }

    fn like(&mut self, of: Expr, negated: bool) -> Result<Expr, QueryError> {
        let pattern = match self.regex()? {
            Some(regex) => LikePattern::Regex(regex),
            None => match self.take()? {
                Token::Text(text) => LikePattern::Substring(text),
                _ => return Err(self.unexpected()),
            },
        };
        Ok(Expr::Like { of: Box::new(of), pattern, negated })
    }

    fn list(&mut self, of: Expr, negated: bool) -> Result<Expr, QueryError> {
        self.expect("[")?;
        let mut list = Vec::new();
        loop {
            list.push(self.sum()?);
            if !self.symbol(",")? {
                self.expect("]")?;
                return Ok(Expr::In { of: Box::new(of), list, negated });
            }
        }
    }

    fn sum(&mut self) -> Result<Expr, QueryError> {
        let mut left = self.product()?;
        let mut length = 0;
        loop {
            let op = match self.peek()? {
                Token::Symbol("+") => BinaryOp::Add,
                Token::Symbol("-") => BinaryOp::Subtract,
                _ => return Ok(left),
            };
            self.take()?;
            self.check_chain(&mut length)?;
            left = binary(op, left, self.product()?);
        }
    }

    fn product(&mut self) -> Result<Expr, QueryError> {
        let mut left = self.power()?;
        let mut length = 0;
        loop {
            let op = match self.peek()? {
                Token::Symbol("*") => BinaryOp::Multiply,
                Token::Symbol("/") => BinaryOp::Divide,
                Token::Symbol("%") => BinaryOp::Remainder,
                _ => return Ok(left),
            };
            self.take()?;
            self.check_chain(&mut length)?;
            left = binary(op, left, self.power()?);
        }
    }

    /// `2 ^ 3 ^ 2` is `2 ^ (3 ^ 2)`.
    fn power(&mut self) -> Result<Expr, QueryError> {
        let mut parts = vec![self.unary()?];
        let mut length = 0;
        while self.symbol("^")? {
            self.check_chain(&mut length)?;
            parts.push(self.unary()?);
        }
        let mut parts = parts.into_iter().rev();
        let last = parts.next().ok_or_else(|| self.unexpected())?;
        Ok(parts.fold(last, |right, left| binary(BinaryOp::Power, left, right)))
    }

    pub fn unary(&mut self) -> Result<Expr, QueryError> {
        if self.symbol("-")? {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(self.wrong(format!("an expression nests at most {MAX_DEPTH} deep")));
            }
            let of = self.unary()?;
            self.depth -= 1;
            return Ok(match of {
                Expr::Number(n) => Expr::Number(-n),
                of => Expr::Negative(Box::new(of)),
            });
        }
        let of = self.primary()?;
        self.path(of)
    }

    /// `[0]` and `.name` behind a value.
    fn path(&mut self, of: Expr) -> Result<Expr, QueryError> {
        let mut steps = Vec::new();
        loop {
            if self.symbol(".")? {
                match self.take()? {
                    Token::Word(name) => steps.extend(name.split('.').map(|key| Step::Key(key.to_owned()))),
                    Token::Quoted(name) => steps.push(Step::Key(name)),
                    _ => return Err(self.unexpected()),
                }
            } else if self.symbol("[")? {
                match self.take()? {
                    Token::Number(n) if n >= 0.0 && n.fract() == 0.0 && n < 1e9 => {
                        steps.push(Step::Index(n as usize));
                    }
                    Token::Text(key) => steps.push(Step::Key(key)),
                    _ => return Err(self.unexpected()),
                }
                self.expect("]")?;
            } else if steps.is_empty() {
                return Ok(of);
            } else {
                return Ok(Expr::Path(Box::new(of), steps));
            }
        }
    }

    fn primary(&mut self) -> Result<Expr, QueryError> {
        match self.take()? {
            Token::Text(text) => Ok(Expr::Text(text)),
            Token::Number(n) => Ok(Expr::Number(n)),
            Token::Quoted(name) => Ok(Expr::Field(name)),
            Token::Symbol("(") => {
                let inner = self.expr()?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Word(name) => {
                let (start, end) = self.last;
                // A call has its bracket; a field may have the name of a function.
                if self.symbol("(")? {
                    return self.call(&name, (start, end));
                }
                match name.to_ascii_lowercase().as_str() {
                    "true" => Ok(Expr::Bool(true)),
                    "false" => Ok(Expr::Bool(false)),
                    word if RESERVED.contains(&word) => Err(self.lexer.unexpected(start, end)),
                    _ => Ok(Expr::Field(name)),
                }
            }
            _ => Err(self.unexpected()),
        }
    }

    fn call(&mut self, name: &str, (start, end): (usize, usize)) -> Result<Expr, QueryError> {
        let before = (self.lexer.at, self.last);
        if let Some(column) = self.stats_column(start)? {
            return Ok(Expr::Field(column));
        }
        (self.lexer.at, self.last) = before;
        if let Some(aggregate) = Aggregate::named(name) {
            if !self.in_stats {
                let message = format!("the function {name} belongs into stats");
                return Err(self.lexer.error(start, end, message));
            }
            return self.aggregate(aggregate, (start, end));
        }
        let Some((function, fewest, most)) = Function::named(name) else {
            return Err(self.lexer.error(start, end, format!("there is no function {name}")));
        };
        let mut args = Vec::new();
        if !self.symbol(")")? {
            loop {
                args.push(if function.period_argument() == Some(args.len()) {
                    self.period()?
                } else {
                    self.expr()?
                });
                if !self.symbol(",")? {
                    self.expect(")")?;
                    break;
                }
            }
        }
        if !(fewest..=most).contains(&args.len()) {
            let count = args.len();
            let message = format!("the function {name} does not take {count} arguments");
            return Err(self.lexer.error(start, self.last.1, message));
        }
        Ok(Expr::Call(function, args))
    }

    /// The column of the last `stats` whose own text begins at `start`: behind
    /// it, `count(*)` is a name. Takes the call if it is one.
    fn stats_column(&mut self, start: usize) -> Result<Option<String>, QueryError> {
        if self.stats_columns.is_empty() {
            return Ok(None);
        }
        let mut open = 1;
        while open > 0 {
            match self.take()? {
                Token::Symbol("(") => open += 1,
                Token::Symbol(")") => open -= 1,
                Token::End => return Ok(None),
                _ => {}
            }
        }
        let text = canonical(self.lexer.text.get(start..self.last.1).unwrap_or_default());
        let found = self.stats_columns.iter().find(|(known, _)| *known == text);
        Ok(found.map(|(_, name)| name.clone()))
    }

    fn aggregate(&mut self, aggregate: Aggregate, place: (usize, usize)) -> Result<Expr, QueryError> {
        self.in_stats = false;
        let made = self.aggregate_arguments(aggregate, place);
        self.in_stats = true;
        made
    }

    fn aggregate_arguments(
        &mut self,
        aggregate: Aggregate,
        (start, _): (usize, usize),
    ) -> Result<Expr, QueryError> {
        let of_rows =
            aggregate == Aggregate::Count && (self.symbol("*")? || self.peek()? == Token::Symbol(")"));
        if of_rows {
            self.expect(")")?;
            return Ok(Expr::Aggregate(aggregate, None));
        }
        let of = Some(Box::new(self.expr()?));
        let aggregate = match aggregate {
            Aggregate::Percentile(_) => {
                self.expect(",")?;
                match self.take()? {
                    Token::Number(n) if (0.0..=100.0).contains(&n) => Aggregate::Percentile(Percent(n)),
                    Token::Number(_) => return Err(self.wrong("a percentile is a number from 0 to 100")),
                    _ => return Err(self.unexpected()),
                }
            }
            other => other,
        };
        if !self.symbol(")")? {
            let error = self.unexpected_next();
            return Err(self.lexer.error(start, self.last.1, error.message));
        }
        Ok(Expr::Aggregate(aggregate, of))
    }

    /// `5m`, or `5 m`.
    fn period(&mut self) -> Result<Expr, QueryError> {
        let (count, unit, start) = match self.take()? {
            Token::Period(count, unit) => (count, unit, self.last.0),
            Token::Number(n) if n.fract() == 0.0 && (0.0..1e15).contains(&n) => {
                let start = self.last.0;
                match self.take()? {
                    Token::Word(unit) => (n as u64, unit, start),
                    _ => return Err(self.unexpected()),
                }
            }
            _ => return Err(self.unexpected()),
        };
        let period = Period::new(count, &unit);
        let message = format!("{count}{unit} is no length of time such as 30s, 5m, 1h or 1d");
        period.map(Expr::Period).ok_or_else(|| self.lexer.error(start, self.last.1, message))
    }
}

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    Expr::Binary(op, Box::new(left), Box::new(right))
}
