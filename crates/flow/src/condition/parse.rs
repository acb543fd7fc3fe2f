//! From words to a condition, with every value checked against its field.

use super::glob::Glob;
use super::lex::{Token, tokens};
use super::test::Test;
use super::time;
use super::{ConditionError, Expression};
use crate::field::{Field, Kind};
use crate::names;
use std::net::IpAddr;
use weir_types::net::IpNet;

/// Of parentheses and `not`s within each other.
const MAX_DEPTH: usize = 100;

type Parsed<T> = Result<T, ConditionError>;

pub(super) fn parse(text: &str) -> Parsed<Expression<Field>> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let expression = parser.any()?;
    match parser.peek() {
        Token::End => Ok(expression),
        _ => Err(parser.expected("'and', 'or' or the end")),
    }
}

struct Parser<'t> {
    tokens: Vec<(Token<'t>, usize)>,
    at: usize,
    depth: usize,
}

/// One thing that a value may be.
enum Item {
    Null,
    Numbers(i64, i64),
    Network(IpNet),
    Text(String),
}

impl<'t> Parser<'t> {
    fn any(&mut self) -> Parsed<Expression<Field>> {
        let mut parts = vec![self.all()?];
        while self.eat("or") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    fn all(&mut self) -> Parsed<Expression<Field>> {
        let mut parts = vec![self.part()?];
        while self.eat("and") {
            parts.push(self.part()?);
        }
        Ok(one_or(parts, Expression::All))
    }

    fn part(&mut self) -> Parsed<Expression<Field>> {
        let column = self.column();
        let negated = self.eat("not");
        if !negated && !self.eat("(") {
            return self.test();
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ConditionError::TooDeep { max: MAX_DEPTH, column });
        }
        let expression = if negated {
            not(self.part()?)
        } else {
            let expression = self.any()?;
            if !self.eat(")") {
                return Err(self.expected("'and', 'or' or ')'"));
            }
            expression
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn test(&mut self) -> Parsed<Expression<Field>> {
        let field = self.field()?;
        let column = self.column();
        let numeric = field.kind().max().is_some();
        let found = |test| Expression::Test(field, test);
        if self.eat("is") {
            let negated = self.eat("not");
            if !self.eat("null") {
                return Err(self.expected("'null'"));
            }
            return Ok(not_if(negated, found(Test::Null)));
        }
        if self.eat("=") {
            return self.item(field).map(|item| found(test_of(vec![item])));
        }
        if self.eat("!=") {
            return self.item(field).map(|item| not(found(test_of(vec![item]))));
        }
        for (operator, ends) in [
            ("<", (|n| (i64::MIN, n - 1)) as fn(i64) -> (i64, i64)),
            ("<=", |n| (i64::MIN, n)),
            (">", |n| (n.saturating_add(1), i64::MAX)),
            (">=", |n| (n, i64::MAX)),
        ] {
            if numeric && self.eat(operator) {
                let number = self.number(field)?;
                // Nothing is larger than the largest number.
                let none = operator == ">" && number == i64::MAX;
                return Ok(found(Test::Numbers(if none { Vec::new() } else { vec![ends(number)] })));
            }
        }
        let negated = self.eat("not");
        if self.eat("in") {
            return self.list(field).map(|items| not_if(negated, found(test_of(items))));
        }
        if !numeric && self.eat("like") {
            let column = self.column();
            let text = self.text("a text such as 'a*'")?;
            if text.contains('%') && !text.contains('*') {
                return Err(ConditionError::PercentInLike { column });
            }
            return Ok(not_if(negated, found(Test::Like(Glob::new(&text)))));
        }
        if !negated && self.is_range_or_network() {
            return self.item(field).map(|item| found(test_of(vec![item])));
        }
        let expected = match (negated, numeric) {
            (true, true) => "'in'",
            (true, false) => "'in' or 'like'",
            (false, true) => "=, !=, <, <=, >, >=, 'in' or 'is'",
            (false, false) => "=, !=, 'in', 'like' or 'is'",
        };
        Err(self.expected_at(&format!("{expected} after {field}"), column))
    }

    fn field(&mut self) -> Parsed<Field> {
        let (token, column) = self.next();
        let name = match &token {
            Token::Word(name) if !is_keyword(name) => *name,
            _ => {
                self.at -= 1;
                return Err(self.expected("a field, 'not' or '('"));
            }
        };
        Field::by_name_or_column(name).ok_or_else(|| ConditionError::UnknownField {
            name: name.to_owned(),
            column,
            nearest: Field::nearest(name),
        })
    }

    fn list(&mut self, field: Field) -> Parsed<Vec<Item>> {
        if !self.eat("(") {
            return self.listed(field).map(|item| vec![item]);
        }
        let mut items = vec![self.listed(field)?];
        loop {
            if self.eat(")") {
                return Ok(items);
            }
            if !self.eat(",") {
                return Err(self.expected("',' or ')'"));
            }
            items.push(self.listed(field)?);
        }
    }

    fn listed(&mut self, field: Field) -> Parsed<Item> {
        let column = self.column();
        match self.item(field)? {
            Item::Null => {
                self.at -= 1;
                Err(self.expected_at(&format!("a value in the list (write: or {field} is null)"), column))
            }
            item => Ok(item),
        }
    }

    /// A value, a range or a network, as the field has them.
    fn item(&mut self, field: Field) -> Parsed<Item> {
        let column = self.column();
        let quoted = matches!(self.peek(), Token::Quoted(_));
        let text = self.text(values_of(field))?;
        if text == "-" {
            return Ok(Item::Null);
        }
        if let Some((first, last)) = time::span(&text).filter(|_| is_time(field)) {
            return Ok(Item::Numbers(first, last));
        }
        let item = match field.kind() {
            Kind::Address => network(&text).map(Item::Network),
            Kind::Text => {
                if !quoted && text.contains('*') {
                    return Err(ConditionError::StarWithoutLike { found: text, column });
                }
                one_of_few(field, text).map(Item::Text)
            }
            Kind::Protocol | Kind::Port | Kind::Int32 | Kind::Int64 => {
                let (first, last) = match text.split_once('-') {
                    Some((first, last)) if !first.is_empty() && is_digits(first) => (first, last),
                    _ => (text.as_str(), text.as_str()),
                };
                let ends = (number(field, first, column)?, number(field, last, column)?);
                match ends {
                    (Some(first), Some(last)) if first > last => {
                        return Err(ConditionError::EmptyRange { found: text, column });
                    }
                    (Some(first), Some(last)) => Some(Item::Numbers(first, last)),
                    _ => None,
                }
            }
        };
        item.ok_or_else(|| {
            self.at -= 1;
            self.expected_at(values_of(field), column)
        })
    }

    fn number(&mut self, field: Field) -> Parsed<i64> {
        let column = self.column();
        let expected = if is_time(field) { values_of(field) } else { "a whole number" };
        let text = self.text(expected)?;
        number(field, &text, column)?.ok_or_else(|| {
            self.at -= 1;
            self.expected_at(expected, column)
        })
    }

    /// A quoted text, or a bare one that is no keyword.
    fn text(&mut self, expected: &str) -> Parsed<String> {
        match self.next().0 {
            Token::Quoted(text) => Ok(text),
            Token::Word(word) if !is_keyword(word) => Ok(word.to_owned()),
            token => {
                self.at -= 1;
                let hint = match token {
                    Token::Word(word) if word.eq_ignore_ascii_case("null") => " (write: is null)",
                    Token::Word(_) => " (quote a word of the language)",
                    _ => "",
                };
                Err(self.expected(&format!("{expected}{hint}")))
            }
        }
    }

    fn is_range_or_network(&self) -> bool {
        match self.peek() {
            Token::Word(word) => {
                let range = word.split_once('-').is_some_and(|(first, last)| {
                    !first.is_empty() && !last.is_empty() && is_digits(first) && is_digits(last)
                });
                range || word.parse::<IpNet>().is_ok()
            }
            _ => false,
        }
    }

    fn peek(&self) -> &Token<'t> {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn column(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |(_, column)| *column)
    }

    /// The end is given again and again.
    fn next(&mut self) -> (Token<'t>, usize) {
        let next = (self.peek().clone(), self.column());
        self.at += 1;
        next
    }

    /// Goes past a keyword or a symbol, if it is next.
    fn eat(&mut self, word: &str) -> bool {
        let found = match self.peek() {
            Token::Word(own) => own.eq_ignore_ascii_case(word),
            Token::Symbol(own) => *own == word,
            Token::Quoted(_) | Token::End => false,
        };
        self.at += usize::from(found);
        found
    }

    /// Of the next token.
    fn expected(&self, expected: &str) -> ConditionError {
        self.expected_at(expected, self.column())
    }

    fn expected_at(&self, expected: &str, column: usize) -> ConditionError {
        let found = match self.peek() {
            Token::Word(word) => format!("'{word}'"),
            Token::Quoted(text) => format!("'{text}'"),
            Token::Symbol(symbol) => format!("'{symbol}'"),
            Token::End => "the end".to_owned(),
        };
        ConditionError::Expected { expected: expected.to_owned(), column, found }
    }
}

fn one_or(
    mut parts: Vec<Expression<Field>>,
    many: fn(Vec<Expression<Field>>) -> Expression<Field>,
) -> Expression<Field> {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            many(parts)
        }
    }
}

fn not(expression: Expression<Field>) -> Expression<Field> {
    Expression::Not(Box::new(expression))
}

fn not_if(negated: bool, expression: Expression<Field>) -> Expression<Field> {
    if negated { not(expression) } else { expression }
}

/// All items are of one kind, that of the field.
fn test_of(items: Vec<Item>) -> Test {
    let (mut numbers, mut networks, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for item in items {
        match item {
            Item::Null => return Test::Null,
            Item::Numbers(first, last) => numbers.push((first, last)),
            Item::Network(network) => networks.push(network),
            Item::Text(text) => texts.push(text),
        }
    }
    match (numbers.is_empty(), networks.is_empty()) {
        (false, _) => Test::Numbers(numbers),
        (_, false) => Test::Networks(networks),
        _ => Test::Texts(texts),
    }
}

fn is_keyword(word: &str) -> bool {
    ["and", "or", "not", "in", "like", "is", "null"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// A field of seconds since 1970.
fn is_time(field: Field) -> bool {
    matches!(field, Field::Start | Field::End)
}

/// `None`: not a number, nor the name of one where they have names.
fn number(field: Field, text: &str, column: usize) -> Parsed<Option<i64>> {
    if text.is_empty() || !is_digits(text) {
        return Ok(match field {
            Field::TcpFlags => tcp_flags(text),
            _ if is_time(field) => time::span(text).map(|(first, _)| first),
            _ if field.kind() == Kind::Protocol => protocol(text),
            _ => None,
        });
    }
    let max = field.kind().max().unwrap_or(i64::MAX);
    match text.parse() {
        Ok(number) if number <= max => Ok(Some(number)),
        _ => Err(ConditionError::TooLarge { field, found: text.to_owned(), max, column }),
    }
}

fn protocol(name: &str) -> Option<i64> {
    let name = if name.eq_ignore_ascii_case("icmpv6") { "IPv6-ICMP" } else { name };
    let named = |number: &u8| names::protocol(*number).is_some_and(|own| own.eq_ignore_ascii_case(name));
    (0..=u8::MAX).find(named).map(i64::from)
}

/// `SYN|ACK`
fn tcp_flags(text: &str) -> Option<i64> {
    (0..=u8::MAX).find(|flags| names::tcp_flags(*flags).eq_ignore_ascii_case(text)).map(i64::from)
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// The values of the fields that have few, as they stand in records.
fn few(field: Field) -> &'static [&'static str] {
    match field {
        Field::Action => &["ACCEPT", "REJECT"],
        Field::LogStatus => &["OK", "NODATA", "SKIPDATA"],
        Field::FlowDirection => &["ingress", "egress"],
        Field::Type => &["IPv4", "IPv6", "EFA"],
        _ => &[],
    }
}

fn one_of_few(field: Field, text: String) -> Option<String> {
    match few(field) {
        [] => Some(text),
        few => few.iter().find(|own| own.eq_ignore_ascii_case(&text)).map(|own| (*own).to_owned()),
    }
}

/// What an error says that the field's values are.
fn values_of(field: Field) -> &'static str {
    match (field, field.kind()) {
        (Field::Action, _) => "ACCEPT or REJECT",
        (Field::LogStatus, _) => "OK, NODATA or SKIPDATA",
        (Field::FlowDirection, _) => "ingress or egress",
        (Field::Type, _) => "IPv4, IPv6 or EFA",
        (Field::Start | Field::End, _) => "a time such as 2024-05-01T12:00 or seconds since 1970",
        (Field::TcpFlags, _) => "a whole number or flags such as SYN|ACK",
        (_, Kind::Protocol) => "a protocol such as 6 or tcp",
        (_, Kind::Port) => "a port such as 22 or a range such as 1-1023",
        (_, Kind::Int32 | Kind::Int64) => "a whole number or a range such as 1000-1999",
        (_, Kind::Address) => "an address such as 10.0.0.1 or a network such as 10.0.0.0/8",
        (_, Kind::Text) => "a value",
    }
}
