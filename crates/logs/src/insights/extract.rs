//! Patterns that cut fields out of texts, and regular expressions.
//!
//! Expressions are those of the `regex` crate, linear in time and so safe for
//! patterns of strangers; character classes and `(?i)` are about ASCII.

use regex::bytes::{self, RegexBuilder};

/// Of a compiled expression, bytes.
const MAX_SIZE: usize = 1 << 22;

/// A compiled regular expression.
#[derive(Debug, Clone)]
pub struct Regex {
    text: String,
    compiled: bytes::Regex,
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Regex {}

impl std::hash::Hash for Regex {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Regex {
    /// The error says what is wrong.
    pub fn new(text: &str) -> Result<Self, String> {
        let compiled = RegexBuilder::new(text).unicode(false).size_limit(MAX_SIZE).build();
        match compiled {
            Ok(compiled) => Ok(Self { text: text.to_owned(), compiled }),
            Err(regex::Error::CompiledTooBig(_)) => {
                Err(format!("the regular expression /{text}/ is too large"))
            }
            Err(_) => Err(format!("/{text}/ is not a regular expression")),
        }
    }

    /// Whether it matches somewhere in a text.
    pub fn is_match(&self, text: &str) -> bool {
        self.compiled.is_match(text.as_bytes())
    }

    pub(super) fn name_refs(&self) -> impl Iterator<Item = &str> {
        self.compiled.capture_names().flatten()
    }

    /// The named groups, in order.
    pub fn names(&self) -> Vec<String> {
        self.name_refs().map(str::to_owned).collect()
    }

    /// What each named group matched first; `None` if nothing matches.
    pub fn captures<'t>(&self, text: &'t str) -> Option<Vec<Option<&'t str>>> {
        let found = self.compiled.captures(text.as_bytes())?;
        let groups = self.compiled.capture_names().enumerate().filter(|(_, name)| name.is_some());
        let group = |(i, _)| found.get(i).and_then(|group: bytes::Match<'_>| text.get(group.range()));
        Some(groups.map(group).collect())
    }
}

/// `user=*, method:*`: each `*` takes what stands before the next literal, the
/// last one the rest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Glob {
    /// What stands before the first `*`, between two, and behind the last.
    literals: Vec<String>,
}

impl Glob {
    /// `\*` is a star.
    pub fn new(text: &str) -> Self {
        let mut literals = vec![String::new()];
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let last = literals.len() - 1;
            match (c, literals.get_mut(last)) {
                ('*', _) => literals.push(String::new()),
                ('\\', Some(literal)) if chars.peek() == Some(&'*') => literal.extend(chars.next()),
                (c, Some(literal)) => literal.push(c),
                (_, None) => {}
            }
        }
        Self { literals }
    }

    /// How many `*` it has.
    pub fn stars(&self) -> usize {
        self.literals.len() - 1
    }

    /// What each `*` takes; `None` if the text does not have the literals. The
    /// first one may stand anywhere.
    pub fn captures<'t>(&self, text: &'t str) -> Option<Vec<Option<&'t str>>> {
        let (first, rest) = self.literals.split_first()?;
        let mut text = text.get(text.find(first.as_str())? + first.len()..)?;
        let mut found = Vec::with_capacity(rest.len());
        for (i, literal) in rest.iter().enumerate() {
            let is_last = i + 1 == rest.len();
            let end = if is_last && literal.is_empty() { text.len() } else { text.find(literal.as_str())? };
            found.push(text.get(..end));
            text = text.get(end + literal.len()..)?;
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (glob, text, wanted) in [
            (
                "user=*, method:*, latency := *",
                "x user=a b, method:get, latency := 5 ms",
                Some(vec!["a b", "get", "5 ms"]),
            ),
            ("[*] *", "pre [INFO] all the rest", Some(vec!["INFO", "all the rest"])),
            ("[*] *", "no brackets", None),
            ("*", "everything", Some(vec!["everything"])),
            ("* *", "a b c", Some(vec!["a", "b c"])),
            ("a*c", "abcabc", Some(vec!["b"])),
            ("**", "ab", Some(vec!["", "ab"])),
            (r"\**", "x*y", Some(vec!["y"])),
            ("é*ü", "é-ü", Some(vec!["-"])),
            ("abc", "xabc", Some(vec![])),
        ] {
            let found = Glob::new(glob).captures(text);
            let wanted = wanted.map(|list| list.into_iter().map(Some).collect::<Vec<_>>());
            assert_eq!(found, wanted, "{glob}");
        }
    }

    #[test]
    fn groups() {
        let regex = Regex::new(r"(?<eni>eni-.*?) (x(?<no>y)?)").unwrap();
        assert_eq!(regex.names(), ["eni", "no"]);
        assert_eq!(regex.captures("1 eni-2 x"), Some(vec![Some("eni-2"), None]));
        assert_eq!(regex.captures("1"), None);
        assert!(Regex::new("(?i)ABC").unwrap().is_match("abc"));
        assert!(Regex::new("(?=x)").is_err());
        assert!(Regex::new("((a{99}){99}){99}").unwrap_err().contains("too large"));
    }
}
