//! From tokens to a statement. CREATE TABLE is in `table.rs`, types and properties
//! in `columns.rs`.

use super::SyntaxError;
use super::lex::{Kind, Token};
use super::statement::{PartitionValues, Properties, Statement, TableName};
use std::collections::BTreeMap;

pub(super) type Parsed<T> = Result<T, SyntaxError>;

pub(super) struct Parser<'a> {
    sql: &'a str,
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Parser<'a> {
    pub fn new(sql: &'a str, tokens: &'a [Token]) -> Self {
        Self { sql, tokens, at: 0 }
    }

    pub(super) fn token(&self) -> &'a Token {
        // The last token is the end, and is never passed.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn ahead(&self, by: usize) -> &'a Kind {
        &self.tokens[(self.at + by).min(self.tokens.len() - 1)].kind
    }

    pub(super) fn next(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    pub fn wrong<T>(&self, expected: &str) -> Parsed<T> {
        Err(SyntaxError::at(self.sql, self.token().start, expected))
    }

    fn is_word(&self, by: usize, word: &str) -> bool {
        matches!(self.ahead(by), Kind::Word(found) if found.eq_ignore_ascii_case(word))
    }

    /// Takes these words if all of them come next.
    pub fn words(&mut self, words: &[&str]) -> bool {
        let there = words.iter().enumerate().all(|(by, word)| self.is_word(by, word));
        if there {
            self.at += words.len();
        }
        there
    }

    pub fn word(&mut self, word: &str) -> bool {
        self.words(&[word])
    }

    pub fn expect(&mut self, words: &[&str]) -> Parsed<()> {
        if self.words(words) {
            return Ok(());
        }
        for word in words {
            if !self.word(word) {
                return self.wrong(&format!("'{word}'"));
            }
        }
        Ok(())
    }

    pub fn sign(&mut self, sign: char) -> bool {
        let there = self.token().kind == Kind::Sign(sign);
        if there {
            self.next();
        }
        there
    }

    pub fn expect_sign(&mut self, sign: char) -> Parsed<()> {
        if self.sign(sign) { Ok(()) } else { self.wrong(&format!("'{sign}'")) }
    }

    /// A name, bare or quoted, in lower case.
    pub fn name(&mut self) -> Parsed<String> {
        match &self.token().kind {
            Kind::Word(name) | Kind::Quoted(name) if !name.is_empty() => {
                self.next();
                Ok(name.to_lowercase())
            }
            _ => self.wrong("identifier"),
        }
    }

    /// A text; some statements take it in double quotes too.
    pub fn text(&mut self) -> Parsed<String> {
        let token = self.token();
        match &token.kind {
            Kind::Text(text) => {
                self.next();
                Ok(text.clone())
            }
            Kind::Quoted(text) if self.sql[token.start..].starts_with('"') => {
                self.next();
                Ok(text.clone())
            }
            _ => self.wrong("string"),
        }
    }

    pub fn table_name(&mut self) -> Parsed<TableName> {
        let mut parts = vec![self.name()?];
        while self.sign('.') {
            parts.push(self.name()?);
        }
        // The catalog is the only one there is.
        let name = parts.pop().unwrap_or_default();
        Ok(TableName { database: parts.pop(), name })
    }

    fn end<T>(&mut self, statement: T) -> Parsed<T> {
        while self.sign(';') {}
        if self.token().kind == Kind::End { Ok(statement) } else { self.wrong("<EOF>") }
    }

    /// The rest of the statement as it is written, without semicolons at its end.
    fn rest(&mut self) -> Parsed<String> {
        let start = self.token().start;
        let mut end = self.tokens.len() - 1;
        while end > self.at && self.tokens[end - 1].kind == Kind::Sign(';') {
            end -= 1;
        }
        if end <= self.at {
            return self.wrong("query");
        }
        let semicolon = self.tokens[self.at..end].iter().find(|token| token.kind == Kind::Sign(';'));
        if let Some(token) = semicolon {
            // One statement at a time.
            return Err(SyntaxError::at(self.sql, token.start, "<EOF>"));
        }
        self.at = self.tokens.len() - 1;
        Ok(self.sql[start..self.tokens[end - 1].end].to_owned())
    }

    pub fn statement(mut self) -> Parsed<Statement> {
        let statement = if self.word("CREATE") {
            self.create()?
        } else if self.word("DROP") {
            self.drop()?
        } else if self.words(&["ALTER", "TABLE"]) {
            self.alter()?
        } else if self.words(&["ALTER", "DATABASE"]) || self.words(&["ALTER", "SCHEMA"]) {
            let name = self.name()?;
            self.expect(&["SET", "DBPROPERTIES"])?;
            Statement::SetDatabaseProperties { name, properties: self.texts()? }
        } else if self.words(&["MSCK", "REPAIR", "TABLE"]) {
            Statement::MsckRepair { table: self.table_name()? }
        } else if self.word("SHOW") {
            self.show()?
        } else if self.word("DESCRIBE") || self.word("DESC") {
            self.describe()?
        } else if self.words(&["UNLOAD"]) {
            self.unload()?
        } else if self.words(&["INSERT", "INTO"]) {
            self.insert()?
        } else if self.word("EXPLAIN") {
            self.explain()?
        } else if self.word("PREPARE") {
            let name = self.name()?;
            self.expect(&["FROM"])?;
            Statement::Prepare { name, query: self.rest()? }
        } else if self.word("EXECUTE") {
            self.execute()?
        } else if self.words(&["DEALLOCATE", "PREPARE"]) {
            Statement::Deallocate { name: self.name()? }
        } else {
            let starts = ["SELECT", "WITH", "VALUES", "TABLE"].iter().any(|word| self.is_word(0, word));
            if !starts && self.token().kind != Kind::Sign('(') {
                return self.wrong(
                    "'(', 'ALTER', 'CREATE', 'DEALLOCATE', 'DESC', 'DESCRIBE', 'DROP', 'EXECUTE', 'EXPLAIN', \
                     'INSERT', 'MSCK', 'PREPARE', 'SHOW', 'UNLOAD', <query>",
                );
            }
            Statement::Query(self.rest()?)
        };
        self.end(statement)
    }

    fn create(&mut self) -> Parsed<Statement> {
        if self.word("DATABASE") || self.word("SCHEMA") {
            return self.create_database();
        }
        if self.words(&["OR", "REPLACE", "VIEW"]) {
            return self.create_view(true);
        }
        if self.word("VIEW") {
            return self.create_view(false);
        }
        let external = self.word("EXTERNAL");
        if !self.word("TABLE") {
            return self.wrong("'DATABASE', 'EXTERNAL', 'OR', 'SCHEMA', 'TABLE', 'VIEW'");
        }
        let if_not_exists = self.words(&["IF", "NOT", "EXISTS"]);
        let name = self.table_name()?;
        if external || self.token().kind == Kind::Sign('(') {
            return self.create_table(external, if_not_exists, name);
        }
        let mut properties = Properties::new();
        if self.word("COMMENT") {
            self.text()?;
        }
        if self.word("WITH") {
            properties = self.properties()?;
        }
        if !self.word("AS") {
            return self.create_table(external, if_not_exists, name);
        }
        let (query, with_data) = self.query_with_data()?;
        Ok(Statement::CreateTableAs { name, if_not_exists, properties, query, with_data })
    }

    /// The rest, of which `WITH [NO] DATA` is no part.
    fn query_with_data(&mut self) -> Parsed<(String, bool)> {
        let query = self.rest()?;
        let words: Vec<&Token> =
            self.tokens.iter().filter(|token| !matches!(token.kind, Kind::Sign(';') | Kind::End)).collect();
        let is =
            |token: &Token, word: &str| matches!(&token.kind, Kind::Word(w) if w.eq_ignore_ascii_case(word));
        let cut = match words.as_slice() {
            [.., with, no, data] if is(with, "WITH") && is(no, "NO") && is(data, "DATA") => {
                Some((with.start, false))
            }
            [.., with, data] if is(with, "WITH") && is(data, "DATA") => Some((with.start, true)),
            _ => None,
        };
        let Some((end, with_data)) = cut else { return Ok((query, true)) };
        // `query` ends where its last token does.
        let last = words.last().map_or(0, |token| token.end);
        let start = last - query.len();
        let query = self.sql.get(start..end).unwrap_or_default().trim_end().to_owned();
        if query.is_empty() { self.wrong("query") } else { Ok((query, with_data)) }
    }

    fn create_database(&mut self) -> Parsed<Statement> {
        let if_not_exists = self.words(&["IF", "NOT", "EXISTS"]);
        let name = self.name()?;
        let (mut comment, mut location, mut properties) = (None, None, BTreeMap::new());
        loop {
            if self.word("COMMENT") {
                comment = Some(self.text()?);
            } else if self.word("LOCATION") {
                location = Some(self.text()?);
            } else if self.words(&["WITH", "DBPROPERTIES"]) {
                properties = self.texts()?;
            } else {
                break;
            }
        }
        Ok(Statement::CreateDatabase { name, if_not_exists, comment, location, properties })
    }

    fn create_view(&mut self, or_replace: bool) -> Parsed<Statement> {
        let name = self.table_name()?;
        self.expect(&["AS"])?;
        Ok(Statement::CreateView { name, or_replace, query: self.rest()? })
    }

    fn drop(&mut self) -> Parsed<Statement> {
        if self.word("DATABASE") || self.word("SCHEMA") {
            let if_exists = self.words(&["IF", "EXISTS"]);
            let name = self.name()?;
            let cascade = self.word("CASCADE");
            if !cascade {
                self.word("RESTRICT");
            }
            return Ok(Statement::DropDatabase { name, if_exists, cascade });
        }
        let is_view = self.word("VIEW");
        if !is_view && !self.word("TABLE") {
            return self.wrong("'DATABASE', 'SCHEMA', 'TABLE', 'VIEW'");
        }
        let if_exists = self.words(&["IF", "EXISTS"]);
        let name = self.table_name()?;
        Ok(match is_view {
            true => Statement::DropView { name, if_exists },
            false => Statement::DropTable { name, if_exists },
        })
    }

    /// `(k = 'v', …)`
    fn partition_values(&mut self) -> Parsed<PartitionValues> {
        self.expect_sign('(')?;
        let mut values = PartitionValues::new();
        loop {
            let name = self.name()?;
            self.expect_sign('=')?;
            // DATE '2020-05-04' is a text to Hive.
            if self.is_word(0, "DATE") && matches!(self.ahead(1), Kind::Text(_)) {
                self.next();
            }
            let value = match &self.token().kind {
                Kind::Number(number) => {
                    self.next();
                    number.clone()
                }
                _ => self.text()?,
            };
            values.push((name, value));
            if !self.sign(',') {
                break;
            }
        }
        self.expect_sign(')')?;
        Ok(values)
    }

    fn alter(&mut self) -> Parsed<Statement> {
        let table = self.table_name()?;
        if self.word("ADD") {
            if self.word("COLUMNS") {
                return Ok(Statement::AddColumns { table, columns: self.columns()?, replace: false });
            }
            let if_not_exists = self.words(&["IF", "NOT", "EXISTS"]);
            let mut partitions = Vec::new();
            self.expect(&["PARTITION"])?;
            loop {
                let values = self.partition_values()?;
                let location = if self.word("LOCATION") { Some(self.text()?) } else { None };
                partitions.push((values, location));
                self.sign(',');
                if !self.word("PARTITION") {
                    break;
                }
            }
            return Ok(Statement::AddPartitions { table, if_not_exists, partitions });
        }
        if self.word("DROP") {
            let if_exists = self.words(&["IF", "EXISTS"]);
            let mut partitions = Vec::new();
            self.expect(&["PARTITION"])?;
            loop {
                partitions.push(self.partition_values()?);
                if !self.sign(',') {
                    break;
                }
                self.expect(&["PARTITION"])?;
            }
            return Ok(Statement::DropPartitions { table, if_exists, partitions });
        }
        if self.words(&["REPLACE", "COLUMNS"]) {
            return Ok(Statement::AddColumns { table, columns: self.columns()?, replace: true });
        }
        if self.words(&["SET", "TBLPROPERTIES"]) {
            return Ok(Statement::SetTableProperties { table, properties: self.texts()? });
        }
        let partition = if self.word("PARTITION") { Some(self.partition_values()?) } else { None };
        if self.words(&["SET", "LOCATION"]) {
            return Ok(Statement::SetLocation { table, partition, location: self.text()? });
        }
        match partition {
            Some(from) => {
                self.expect(&["RENAME", "TO", "PARTITION"])?;
                Ok(Statement::RenamePartition { table, from, to: self.partition_values()? })
            }
            None => self.wrong("'ADD', 'DROP', 'PARTITION', 'REPLACE', 'SET'"),
        }
    }

    fn like(&mut self) -> Parsed<Option<String>> {
        let must = self.word("LIKE");
        if must || matches!(self.token().kind, Kind::Text(_)) { self.text().map(Some) } else { Ok(None) }
    }

    fn in_database(&mut self) -> Parsed<Option<String>> {
        if self.word("IN") || self.word("FROM") { self.name().map(Some) } else { Ok(None) }
    }

    fn show(&mut self) -> Parsed<Statement> {
        if self.word("DATABASES") || self.word("SCHEMAS") {
            return Ok(Statement::ShowDatabases { like: self.like()? });
        }
        if self.word("TABLES") {
            let database = self.in_database()?;
            return Ok(Statement::ShowTables { database, like: self.like()? });
        }
        if self.word("VIEWS") {
            let database = self.in_database()?;
            return Ok(Statement::ShowViews { database, like: self.like()? });
        }
        if self.word("PARTITIONS") {
            return Ok(Statement::ShowPartitions { table: self.table_name()? });
        }
        if self.word("COLUMNS") {
            if !self.word("IN") {
                self.expect(&["FROM"])?;
            }
            let mut table = self.table_name()?;
            if let Some(database) = self.in_database()? {
                table.database = Some(database);
            }
            return Ok(Statement::ShowColumns { table });
        }
        if self.words(&["CREATE", "TABLE"]) {
            return Ok(Statement::ShowCreateTable { table: self.table_name()? });
        }
        if self.words(&["CREATE", "VIEW"]) {
            return Ok(Statement::ShowCreateView { table: self.table_name()? });
        }
        if self.word("TBLPROPERTIES") {
            let table = self.table_name()?;
            let mut key = None;
            if self.sign('(') {
                key = Some(self.text()?);
                self.expect_sign(')')?;
            }
            return Ok(Statement::ShowTableProperties { table, key });
        }
        self.wrong(
            "'COLUMNS', 'CREATE', 'DATABASES', 'PARTITIONS', 'SCHEMAS', 'TABLES', 'TBLPROPERTIES', 'VIEWS'",
        )
    }

    fn describe(&mut self) -> Parsed<Statement> {
        // A table may have these names.
        let named = matches!(self.ahead(1), Kind::Word(_) | Kind::Quoted(_));
        let formatted = named && (self.word("FORMATTED") || self.word("EXTENDED"));
        let table = self.table_name()?;
        if self.word("PARTITION") {
            self.partition_values()?;
        }
        Ok(Statement::Describe { table, formatted })
    }

    /// `( … )` as text without the parentheses.
    pub(super) fn parenthesized(&mut self) -> Parsed<String> {
        self.expect_sign('(')?;
        let start = self.token().start;
        let mut depth = 1;
        loop {
            match self.token().kind {
                Kind::Sign('(') => depth += 1,
                Kind::Sign(')') => depth -= 1,
                Kind::End => return self.wrong("')'"),
                _ => {}
            }
            if depth == 0 {
                break;
            }
            self.next();
        }
        let text = self.sql[start..self.token().start].trim().to_owned();
        self.next();
        Ok(text)
    }

    fn unload(&mut self) -> Parsed<Statement> {
        let query = self.parenthesized()?;
        self.expect(&["TO"])?;
        let to = self.text()?;
        let properties = if self.word("WITH") { self.properties()? } else { Properties::new() };
        Ok(Statement::Unload { query, to, properties })
    }

    fn insert(&mut self) -> Parsed<Statement> {
        let table = self.table_name()?;
        let mut columns = Vec::new();
        let is_query = ["SELECT", "WITH", "VALUES"].iter().any(|word| self.is_word(1, word));
        if self.token().kind == Kind::Sign('(') && !is_query {
            self.next();
            loop {
                columns.push(self.name()?);
                if !self.sign(',') {
                    break;
                }
            }
            self.expect_sign(')')?;
        }
        Ok(Statement::Insert { table, columns, query: self.rest()? })
    }

    fn explain(&mut self) -> Parsed<Statement> {
        let analyze = self.word("ANALYZE");
        self.word("VERBOSE");
        if self.token().kind == Kind::Sign('(') && (self.is_word(1, "TYPE") || self.is_word(1, "FORMAT")) {
            self.parenthesized()?;
        }
        Ok(Statement::Explain { analyze, query: self.rest()? })
    }

    fn execute(&mut self) -> Parsed<Statement> {
        let name = self.name()?;
        let mut parameters = Vec::new();
        if self.word("USING") {
            let list = self.rest_parts()?;
            parameters.extend(list);
        }
        Ok(Statement::Execute { name, parameters })
    }

    /// The rest, split at the commas that stand in no parentheses.
    fn rest_parts(&mut self) -> Parsed<Vec<String>> {
        let from = self.at;
        let all = self.rest()?;
        let start = self.tokens[from].start;
        let (mut parts, mut depth, mut begun) = (Vec::new(), 0, start);
        let mut push = |begun: usize, end: usize| match self.sql[begun..end].trim() {
            "" => Err(SyntaxError::at(self.sql, begun, "expression")),
            part => {
                parts.push(part.to_owned());
                Ok(())
            }
        };
        for token in self.tokens[from..].iter().take_while(|token| token.end <= start + all.len()) {
            match token.kind {
                Kind::Sign('(' | '[') => depth += 1,
                Kind::Sign(')' | ']') => depth -= 1,
                Kind::Sign(',') if depth == 0 => {
                    push(begun, token.start)?;
                    begun = token.end;
                }
                Kind::End => break,
                _ => {}
            }
        }
        push(begun, start + all.len())?;
        Ok(parts)
    }
}
