//! Texts with `*` for any run of characters.

use memchr::memmem::Finder;

#[derive(Debug, Clone)]
pub(super) struct Glob {
    start: String,
    /// In this order, without overlaps, between start and end.
    middle: Vec<Finder<'static>>,
    end: String,
}

impl Glob {
    /// `None`: `text` has no `*`.
    pub fn new(text: &str) -> Option<Self> {
        let (start, rest) = text.split_once('*')?;
        let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
        let middle = middle.split('*').filter(|part| !part.is_empty());
        Some(Self {
            start: start.to_owned(),
            middle: middle.map(|part| Finder::new(part).into_owned()).collect(),
            end: end.to_owned(),
        })
    }

    pub fn matches(&self, text: &str) -> bool {
        let Some(between) = text.strip_prefix(&*self.start).and_then(|rest| rest.strip_suffix(&*self.end))
        else {
            return false;
        };
        let mut rest = between.as_bytes();
        self.middle.iter().all(|part| match part.find(rest) {
            Some(at) => {
                rest = rest.get(at + part.needle().len()..).unwrap_or_default();
                true
            }
            None => false,
        })
    }

    /// The longest text that every match contains.
    pub fn longest_part(&self) -> &str {
        let middle = self.middle.iter().filter_map(|part| std::str::from_utf8(part.needle()).ok());
        [&*self.start, &*self.end].into_iter().chain(middle).max_by_key(|part| part.len()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_run() {
        for (glob, text, expected) in [
            ("*", "", true),
            ("*", "any thing", true),
            ("4*", "404", true),
            ("4*", "4", true),
            ("4*", "504", false),
            ("*Z", "2024Z", true),
            ("*Z", "2024Za", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*-*", "x-y", true),
            ("*a*b*", "b a", false),
            ("*a*b*", "xaxbx", true),
            ("*ab*ba*", "aba", false),
            ("a**b", "ab", true),
            ("ä*ö", "äxö", true),
        ] {
            assert_eq!(Glob::new(glob).unwrap().matches(text), expected, "{glob} {text}");
        }
        assert!(Glob::new("plain").is_none());
        assert_eq!(Glob::new("ab*abc*a").unwrap().longest_part(), "abc");
    }
}
