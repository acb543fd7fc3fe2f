//! `SOURCE "group"` and `SOURCE logGroups(namePrefix: [..])`.

use super::QueryError;
use super::ast::Source;
use super::lex::Token;
use super::parse::Parser;

impl Parser<'_> {
    /// What stands behind the word SOURCE.
    pub fn source(&mut self, source: &mut Source) -> Result<(), QueryError> {
        match self.take()? {
            Token::Text(name) => {
                source.names.push(name);
                Ok(())
            }
            Token::Word(word) if word.eq_ignore_ascii_case("logGroups") => self.log_groups(source),
            Token::Word(word) if word.eq_ignore_ascii_case("dataSource") => {
                Err(self.wrong("SOURCE dataSource is not supported; name log groups"))
            }
            _ => Err(self.unexpected()),
        }
    }

    fn log_groups(&mut self, source: &mut Source) -> Result<(), QueryError> {
        self.expect("(")?;
        loop {
            let Token::Word(name) = self.take()? else { return Err(self.unexpected()) };
            let list = match name.to_ascii_lowercase().as_str() {
                "nameprefix" => &mut source.name_prefixes,
                "accountidentifiers" => &mut source.accounts,
                "class" => &mut source.classes,
                _ => return Err(self.unexpected()),
            };
            // A colon belongs to no other part of the language.
            self.lexer.skip();
            let at = self.lexer.at;
            if !self.lexer.text.get(at..).is_some_and(|rest| rest.starts_with(':')) {
                return Err(self.unexpected_next());
            }
            self.lexer.at += 1;
            self.expect("[")?;
            loop {
                match self.take()? {
                    Token::Text(text) => list.push(text),
                    _ => return Err(self.unexpected()),
                }
                if !self.symbol(",")? {
                    break;
                }
            }
            self.expect("]")?;
            if !self.symbol(",")? {
                return self.expect(")");
            }
        }
    }
}
