//! Commands.

use super::ast::{Column, Command, Earlier, Expr, Extract, Query, SortKey, canonical};
use super::extract::{Glob, Regex};
use super::lex::{Lexer, Token};
use super::{MAX_LIMIT, MAX_QUERY_CHARS, QueryError};

/// Commands of the language that Weir does not have.
const NOT_HERE: [&str; 24] = [
    "anomaly",
    "lookup",
    "join",
    "append",
    "appendcols",
    "fillmissing",
    "filldown",
    "accum",
    "autoregress",
    "sessionize",
    "outlier",
    "cidrlookup",
    "logcompare",
    "addtotals",
    "expand",
    "where",
    "countfrequent",
    "relevantfields",
    "unpivot",
    "rename",
    "eval",
    "makemv",
    "timeslice",
    "transaction",
];

/// The most commands of a query: each is a step of the plan.
const MAX_COMMANDS: usize = 100;

pub(super) struct Parser<'a> {
    pub lexer: Lexer<'a>,
    /// Where the last token that was taken begins and ends.
    pub last: (usize, usize),
    pub depth: usize,
    /// Whether aggregates may stand here: the functions of `stats`.
    pub in_stats: bool,
    /// What the last `stats` made: canonical text and name.
    pub stats_columns: Vec<(String, String)>,
}

impl Query {
    /// Reads and checks a query.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let mut parser = Parser {
            lexer: Lexer::new(text),
            last: (0, 0),
            depth: 0,
            in_stats: false,
            stats_columns: Vec::new(),
        };
        let chars = text.chars().count();
        if chars > MAX_QUERY_CHARS {
            let message = format!("a query has at most {MAX_QUERY_CHARS} characters");
            return Err(QueryError { message, start: MAX_QUERY_CHARS, end: chars });
        }
        parser.query()
    }
}

impl Parser<'_> {
    /// The next token, taken.
    pub fn take(&mut self) -> Result<Token, QueryError> {
        let (token, start) = self.lexer.next()?;
        self.last = (start, self.lexer.at);
        Ok(token)
    }

    /// The next token, not taken.
    pub fn peek(&mut self) -> Result<Token, QueryError> {
        let at = self.lexer.at;
        let token = self.lexer.next();
        self.lexer.at = at;
        Ok(token?.0)
    }

    /// Takes the next token if it is this symbol.
    pub fn symbol(&mut self, symbol: &str) -> Result<bool, QueryError> {
        let is = matches!(self.peek()?, Token::Symbol(found) if found == symbol);
        if is {
            self.take()?;
        }
        Ok(is)
    }

    /// Takes the next token if it is this keyword.
    pub fn word(&mut self, word: &str) -> Result<bool, QueryError> {
        let is = matches!(self.peek()?, Token::Word(found) if found.eq_ignore_ascii_case(word));
        if is {
            self.take()?;
        }
        Ok(is)
    }

    pub fn expect(&mut self, symbol: &str) -> Result<(), QueryError> {
        if self.symbol(symbol)? { Ok(()) } else { Err(self.unexpected_next()) }
    }

    /// The error about the last token.
    pub fn unexpected(&self) -> QueryError {
        self.lexer.unexpected(self.last.0, self.last.1)
    }

    /// The error about the next token.
    pub fn unexpected_next(&mut self) -> QueryError {
        match self.take() {
            Ok(_) => self.unexpected(),
            Err(error) => error,
        }
    }

    /// An error about the last token, in our words.
    pub fn wrong(&self, message: impl Into<String>) -> QueryError {
        self.lexer.error(self.last.0, self.last.1, message)
    }

    fn query(&mut self) -> Result<Query, QueryError> {
        let mut query = Query::default();
        loop {
            match self.take()? {
                Token::Word(word) if word.eq_ignore_ascii_case("source") && query.commands.is_empty() => {
                    self.source(query.source.get_or_insert_default())?;
                }
                Token::Word(word) => {
                    self.check_order(&query, &word)?;
                    if word.eq_ignore_ascii_case("diff") {
                        self.before_diff(&mut query)?;
                    }
                    let command = self.command(&word)?;
                    query.commands.push(command);
                }
                // A SOURCE alone, or nothing at all, is every event.
                Token::End if query.commands.is_empty() => return Ok(query),
                _ => return Err(self.unexpected()),
            }
            match self.take()? {
                Token::End => return Ok(query),
                Token::Symbol("|") if query.commands.len() < MAX_COMMANDS => {}
                Token::Symbol("|") => {
                    return Err(self.wrong(format!("a query has at most {MAX_COMMANDS} commands")));
                }
                _ => return Err(self.unexpected()),
            }
        }
    }

    fn check_order(&self, query: &Query, word: &str) -> Result<(), QueryError> {
        let deduped = query.commands.iter().any(|command| matches!(command, Command::Dedup(_)));
        let may_follow = ["limit", "display"].iter().any(|known| word.eq_ignore_ascii_case(known));
        if deduped && !may_follow {
            return Err(self.wrong(format!("only limit may follow dedup, not {word}")));
        }
        let stats = query.commands.iter().filter(|command| matches!(command, Command::Stats { .. })).count();
        if stats >= 10 && word.eq_ignore_ascii_case("stats") {
            return Err(self.wrong("a query has at most 10 stats commands"));
        }
        let is_pattern = word.eq_ignore_ascii_case("pattern");
        if is_pattern && query.is_aggregated() {
            return Err(self.wrong("pattern needs events: it stands before stats, and once"));
        }
        Ok(())
    }

    /// `diff` alone compares the patterns of messages.
    fn before_diff(&self, query: &mut Query) -> Result<(), QueryError> {
        if matches!(query.commands.last(), Some(Command::Pattern(_))) {
            return Ok(());
        }
        if query.is_aggregated() {
            return Err(self.wrong("diff stands right behind pattern, or behind neither pattern nor stats"));
        }
        query.commands.push(Command::Pattern(Expr::Field("@message".to_owned())));
        Ok(())
    }

    fn diff(&mut self) -> Result<Command, QueryError> {
        let Token::Word(word) = self.peek()? else { return Ok(Command::Diff(Earlier::Period)) };
        self.take()?;
        Ok(Command::Diff(match word.to_ascii_lowercase().as_str() {
            "previousday" => Earlier::Day,
            "previousweek" => Earlier::Week,
            "previousmonth" => Earlier::Month,
            _ => return Err(self.unexpected()),
        }))
    }

    fn command(&mut self, word: &str) -> Result<Command, QueryError> {
        match word.to_ascii_lowercase().as_str() {
            "fields" => Ok(Command::Fields(self.columns()?)),
            "display" => Ok(Command::Display(self.columns()?)),
            // The index of a field is nothing but speed.
            "filter" | "filterindex" => Ok(Command::Filter(self.expr()?)),
            "stats" => self.stats(),
            "sort" => self.sort(),
            "limit" => match self.take()? {
                Token::Number(n) if n.fract() == 0.0 && n >= 1.0 && n <= MAX_LIMIT as f64 => {
                    Ok(Command::Limit(n as usize))
                }
                Token::Number(_) => Err(self.wrong(format!("a limit is a number from 1 to {MAX_LIMIT}"))),
                _ => Err(self.unexpected()),
            },
            "dedup" => {
                let mut keys = vec![self.expr()?];
                while self.symbol(",")? {
                    keys.push(self.expr()?);
                }
                Ok(Command::Dedup(keys))
            }
            "pattern" => {
                let of = self.expr()?;
                self.stats_columns.clear();
                Ok(Command::Pattern(of))
            }
            "diff" => self.diff(),
            "parse" => self.parse(),
            "unnest" => {
                let list = self.expr()?;
                if !self.word("into")? {
                    return Err(self.unexpected_next());
                }
                Ok(Command::Unnest { list, name: self.name()? })
            }
            known if NOT_HERE.contains(&known) => {
                Err(self.wrong(format!("the command {known} is not supported")))
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Values, each with an alias or without.
    fn columns(&mut self) -> Result<Vec<Column>, QueryError> {
        let mut columns = Vec::new();
        loop {
            self.lexer.skip();
            let start = self.lexer.at;
            let expr = self.expr()?;
            let text = self.lexer.text.get(start..self.last.1).unwrap_or_default();
            let name = match (self.word("as")?, &expr) {
                (true, _) => {
                    let name = self.name()?;
                    columns.push(Column { expr, name, is_alias: true });
                    if !self.symbol(",")? {
                        return Ok(columns);
                    }
                    continue;
                }
                (false, Expr::Field(name)) => name.clone(),
                (false, _) => text.to_owned(),
            };
            columns.push(Column { expr, name, is_alias: false });
            if !self.symbol(",")? {
                return Ok(columns);
            }
        }
    }

    /// The name of something new.
    pub fn name(&mut self) -> Result<String, QueryError> {
        match self.take()? {
            Token::Word(name) | Token::Quoted(name) if !name.is_empty() => Ok(name),
            _ => Err(self.unexpected()),
        }
    }

    fn stats(&mut self) -> Result<Command, QueryError> {
        self.lexer.skip();
        let start = self.lexer.at;
        self.in_stats = true;
        let aggregates = self.columns();
        self.in_stats = false;
        let aggregates = aggregates?;
        if let Some(plain) = aggregates.iter().find(|column| !column.expr.has_aggregate()) {
            let message = format!("stats needs aggregate functions, and {} has none", plain.name);
            return Err(self.lexer.error(start, self.last.1, message));
        }
        let by = if self.word("by")? { self.columns()? } else { Vec::new() };
        self.stats_columns = by
            .iter()
            .chain(&aggregates)
            .map(|column| (canonical(&column.name), column.name.clone()))
            .collect();
        Ok(Command::Stats { aggregates, by })
    }

    fn sort(&mut self) -> Result<Command, QueryError> {
        self.word("by")?;
        let mut keys = Vec::new();
        loop {
            let expr = self.expr()?;
            let descending = self.word("desc")?;
            if !descending {
                self.word("asc")?;
            }
            keys.push(SortKey { expr, descending });
            if !self.symbol(",")? {
                return Ok(Command::Sort(keys));
            }
        }
    }

    fn parse(&mut self) -> Result<Command, QueryError> {
        // Without a field it is the message that is parsed.
        let starts = matches!(self.peek()?, Token::Text(_) | Token::Symbol("/"));
        let from = if starts { Expr::Field("@message".to_owned()) } else { self.unary()? };
        if let Some(regex) = self.regex()? {
            if regex.names().is_empty() {
                return Err(self.wrong("the regular expression of parse has no named group (?<name>…)"));
            }
            return Ok(Command::Parse { from, how: Extract::Regex(regex) });
        }
        let Token::Text(text) = self.take()? else { return Err(self.unexpected()) };
        let (start, glob) = (self.last.0, Glob::new(&text));
        let mut names = Vec::new();
        if self.word("as")? {
            names.push(self.name()?);
            while self.symbol(",")? {
                names.push(self.name()?);
            }
        }
        if names.len() != glob.stars() || names.is_empty() {
            let (stars, named) = (glob.stars(), names.len());
            let message = format!("the pattern has {stars} * and there are {named} names for them");
            return Err(self.lexer.error(start, self.last.1, message));
        }
        Ok(Command::Parse { from, how: Extract::Glob { glob, names } })
    }

    /// `/…/`, if one comes.
    pub fn regex(&mut self) -> Result<Option<Regex>, QueryError> {
        let Some((text, start)) = self.lexer.regex()? else { return Ok(None) };
        self.last = (start, self.lexer.at);
        Regex::new(&text).map(Some).map_err(|message| self.wrong(message))
    }
}
