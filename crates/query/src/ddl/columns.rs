//! Columns with their types, and lists of properties.

use super::lex::Kind;
use super::parse::{Parsed, Parser};
use super::statement::{ColumnDef, Properties, PropertyValue};
use std::collections::BTreeMap;

/// Types within types, at most.
const DEPTH: usize = 32;

impl Parser<'_> {
    /// `('k'='v', …)`
    pub fn texts(&mut self) -> Parsed<BTreeMap<String, String>> {
        self.expect_sign('(')?;
        let mut found = BTreeMap::new();
        loop {
            let key = self.text()?;
            self.expect_sign('=')?;
            found.insert(key, self.text()?);
            if !self.sign(',') {
                break;
            }
        }
        self.expect_sign(')')?;
        Ok(found)
    }

    /// `(name = value, …)`
    pub(super) fn properties(&mut self) -> Parsed<Properties> {
        self.expect_sign('(')?;
        let mut found = Properties::new();
        loop {
            let name = self.name()?;
            self.expect_sign('=')?;
            let value = if self.word("TRUE") {
                PropertyValue::Bool(true)
            } else if self.word("FALSE") {
                PropertyValue::Bool(false)
            } else if self.word("ARRAY") {
                self.expect_sign('[')?;
                let mut list = Vec::new();
                while !self.sign(']') {
                    list.push(self.text()?);
                    if !self.sign(',') && self.token().kind != Kind::Sign(']') {
                        return self.wrong("']'");
                    }
                }
                PropertyValue::List(list)
            } else if let Kind::Number(number) = &self.token().kind {
                let Ok(number) = number.parse() else { return self.wrong("integer") };
                self.next();
                PropertyValue::Number(number)
            } else {
                PropertyValue::Text(self.text()?)
            };
            found.insert(name, value);
            if !self.sign(',') {
                break;
            }
        }
        self.expect_sign(')')?;
        Ok(found)
    }

    /// `(name type [COMMENT 'text'], …)`
    pub fn columns(&mut self) -> Parsed<Vec<ColumnDef>> {
        self.expect_sign('(')?;
        let mut columns = Vec::new();
        loop {
            let name = self.name()?;
            let data_type = self.data_type(0)?;
            let comment = if self.word("COMMENT") { Some(self.text()?) } else { None };
            columns.push(ColumnDef { name, data_type, comment });
            if !self.sign(',') {
                break;
            }
        }
        self.expect_sign(')')?;
        Ok(columns)
    }

    fn data_type(&mut self, depth: usize) -> Parsed<String> {
        if depth > DEPTH {
            return self.wrong("a type that is not nested so deep");
        }
        let name = match &self.token().kind {
            Kind::Word(name) => name.to_ascii_lowercase(),
            _ => return self.wrong("type"),
        };
        let known = [
            "boolean",
            "tinyint",
            "smallint",
            "int",
            "integer",
            "bigint",
            "float",
            "real",
            "double",
            "decimal",
            "char",
            "varchar",
            "string",
            "binary",
            "date",
            "timestamp",
            "array",
            "map",
            "struct",
        ];
        if !known.contains(&name.as_str()) {
            return self.wrong("type");
        }
        self.next();
        Ok(match name.as_str() {
            "decimal" | "char" | "varchar" if self.token().kind == Kind::Sign('(') => {
                let arguments = self.parenthesized()?;
                let all_digits = |part: &str| part.trim().parse::<u32>().is_ok();
                if !arguments.split(',').all(all_digits) {
                    return self.wrong("number");
                }
                format!("{name}({})", arguments.replace(' ', ""))
            }
            "array" => {
                self.expect_sign('<')?;
                let item = self.data_type(depth + 1)?;
                self.expect_sign('>')?;
                format!("array<{item}>")
            }
            "map" => {
                self.expect_sign('<')?;
                let key = self.data_type(depth + 1)?;
                self.expect_sign(',')?;
                let value = self.data_type(depth + 1)?;
                self.expect_sign('>')?;
                format!("map<{key},{value}>")
            }
            "struct" => {
                self.expect_sign('<')?;
                let mut members = Vec::new();
                loop {
                    let member = self.name()?;
                    self.expect_sign(':')?;
                    members.push(format!("{member}:{}", self.data_type(depth + 1)?));
                    if !self.sign(',') {
                        break;
                    }
                }
                self.expect_sign('>')?;
                format!("struct<{}>", members.join(","))
            }
            "integer" => "int".to_owned(),
            "real" => "float".to_owned(),
            _ => name,
        })
    }
}
