//! Texts with `*` for any run of characters.

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Glob {
    start: String,
    /// In this order, without overlaps, between start and end.
    middle: Vec<String>,
    /// `None`: there is no `*`, and `start` is all.
    end: Option<String>,
}

impl Glob {
    pub fn new(text: &str) -> Self {
        let Some((start, rest)) = text.split_once('*') else {
            return Self { start: text.to_owned(), middle: Vec::new(), end: None };
        };
        let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
        let middle = middle.split('*').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        Self { start: start.to_owned(), middle, end: Some(end.to_owned()) }
    }

    pub fn matches(&self, text: &str) -> bool {
        let Some(end) = &self.end else { return text == self.start };
        let between = text.strip_prefix(&*self.start).and_then(|rest| rest.strip_suffix(&**end));
        let Some(mut rest) = between else { return false };
        self.middle.iter().all(|part| match rest.split_once(&**part) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    }

    /// The longest text that every match contains.
    pub fn longest_part(&self) -> &str {
        let parts = [&self.start].into_iter().chain(&self.middle).chain(&self.end);
        parts.max_by_key(|part| part.len()).map_or("", String::as_str)
    }
}
