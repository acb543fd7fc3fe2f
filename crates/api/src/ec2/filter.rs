//! Filters of Describe actions: `Filter.1.Name`, `Filter.1.Value.1`.
//!
//! Values of one filter are OR-ed, filters AND-ed; values are case-sensitive,
//! `*` is any run of characters, `?` one character, `\` takes the next one
//! literally. Source: EC2 user guide, "List and filter your resources".

use crate::error::ApiError;
use crate::protocol::query::Params;
use weir_control::state::Exact;

/// The filters of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters(Vec<Filter>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Filter {
    name: String,
    values: Vec<String>,
}

impl Filters {
    /// Reads the filters; `known` are the names this action has besides
    /// `tag:KEY`, `tag-key` and `tag-value`, which older clients send.
    ///
    /// Errors: `InvalidParameterValue` for an unknown name.
    pub fn parse(params: &Params, known: &[&str]) -> Result<Self, ApiError> {
        let mut filters = Vec::new();
        for item in params.structs("Filter") {
            let name = item.required("Name")?.to_owned();
            if !is_of_tags(&name) && !known.contains(&name.as_str()) {
                let message = format!("The filter '{name}' is invalid");
                return Err(ApiError::new("InvalidParameterValue", message));
            }
            let values = item.list("Value").into_iter().map(str::to_owned).collect();
            filters.push(Filter { name, values });
        }
        Ok(Self(filters))
    }

    /// The values that the filters of this name ask for.
    pub fn patterns<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |filter| filter.name == name);
        named.flat_map(|filter| filter.values.iter().map(String::as_str))
    }

    /// The filters that ask for literal values, for the state to narrow by.
    pub fn narrowing(&self) -> Vec<Exact> {
        let is_exact = |filter: &&Filter| !filter.values.iter().any(|value| value.contains(['*', '?', '\\']));
        let exact = self.0.iter().filter(is_exact);
        exact.map(|filter| Exact { name: filter.name.clone(), values: filter.values.clone() }).collect()
    }

    /// Whether there is a filter whose name ends so.
    pub fn has(&self, end: &str) -> bool {
        self.0.iter().any(|filter| filter.name.ends_with(end))
    }

    /// Whether a resource passes: `values_of` gives what it has under a
    /// filter's name, `tags` its tags.
    pub fn pass(&self, tags: &[(String, String)], values_of: impl Fn(&str) -> Vec<String>) -> bool {
        self.0.iter().all(|filter| {
            let has = match filter.name.strip_prefix("tag:") {
                Some(key) => tags.iter().filter(|(k, _)| k == key).map(|(_, v)| v.clone()).collect(),
                None if filter.name == "tag-key" => tags.iter().map(|(k, _)| k.clone()).collect(),
                None if filter.name == "tag-value" => tags.iter().map(|(_, v)| v.clone()).collect(),
                None => values_of(&filter.name),
            };
            has.iter().any(|value| filter.values.iter().any(|pattern| matches(pattern, value)))
        })
    }
}

fn is_of_tags(name: &str) -> bool {
    matches!(name, "tag-key" | "tag-value") || name.starts_with("tag:")
}

/// Whether `text` matches a pattern of `*`, `?` and `\`.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where to go on after the newest `*` has swallowed one more character.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some('?') if t < text.len() => Some(1),
            Some('\\') if p + 1 < pattern.len() => (text.get(t) == pattern.get(p + 1)).then_some(2),
            Some(c) => (text.get(t) == Some(c)).then_some(1),
            None if t == text.len() => return true,
            None => None,
        };
        match (step, retry) {
            (Some(width), _) => {
                p += width;
                t += 1;
            }
            (None, Some((after, from))) if from < text.len() => {
                retry = Some((after, from + 1));
                (p, t) = (after, from + 1);
            }
            (None, _) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbb", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*b", "abab", true),
            (r"\*", "*", true),
            (r"\*", "a", false),
            ("vpc-1", "vpc-12", false),
            ("ABC", "abc", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn values_are_ored_and_filters_anded() {
        let form = "Filter.1.Name=vpc-id&Filter.1.Value.1=a&Filter.1.Value.2=b&Filter.2.Name=tag:Name&Filter.2.Value.1=w*";
        let filters = Filters::parse(&Params::parse(form.as_bytes()).unwrap(), &["vpc-id"]).unwrap();
        let tags = |value: &str| vec![("Name".to_owned(), value.to_owned())];
        assert!(filters.pass(&tags("web"), |_| vec!["b".into()]));
        assert!(!filters.pass(&tags("web"), |_| vec!["c".into()]));
        assert!(!filters.pass(&tags("db"), |_| vec!["a".into()]));
        for (form, passes) in [
            ("Filter.1.Name=tag-key&Filter.1.Value.1=Name", true),
            ("Filter.1.Name=tag-key&Filter.1.Value.1=web", false),
            ("Filter.1.Name=tag-value&Filter.1.Value.1=w?b", true),
            ("Filter.1.Name=tag-value&Filter.1.Value.1=Name", false),
        ] {
            let filters = Filters::parse(&Params::parse(form.as_bytes()).unwrap(), &[]).unwrap();
            assert_eq!(filters.pass(&tags("web"), |_| Vec::new()), passes, "{form}");
        }
        let unknown = Params::parse(b"Filter.1.Name=nonsense&Filter.1.Value.1=a").unwrap();
        assert!(Filters::parse(&unknown, &["vpc-id"]).is_err());
    }
}
