//! The query protocols: `Action=…&Filter.1.Name=…`, read as a tree.
//!
//! EC2 lists are flat (`VpcId.1`), IAM and STS lists have a `member` step
//! (`Tags.member.1.Key`); [`Params::list`] and [`Params::structs`] read both.
//! Indexes may have gaps; items come in index order.

use crate::error::ApiError;
use std::collections::BTreeMap;

/// The parameters of a request, or those below a prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params {
    values: BTreeMap<String, String>,
    prefix: String,
}

/// More parameters than this in one request are refused.
const LIMIT: usize = 20_000;

impl Params {
    /// Reads `a=b&c=d` with form encoding. Of a repeated name the last counts.
    ///
    /// Errors: `MalformedQueryString` for too many parameters.
    pub fn parse(form: &[u8]) -> Result<Self, ApiError> {
        let mut values = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(form) {
            if values.len() >= LIMIT {
                return Err(ApiError::new("MalformedQueryString", "The request has too many parameters"));
            }
            values.insert(name.into_owned(), value.into_owned());
        }
        Ok(Self { values, prefix: String::new() })
    }

    /// The value of a parameter; an empty one counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// The value of a parameter, even if empty.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Errors: `MissingParameter`.
    pub fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| ApiError::missing_parameter(&format!("{}{name}", self.prefix)))
    }

    /// Errors: `InvalidParameterValue` for anything but `true` and `false`.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(text) => Err(self.invalid(name, text)),
        }
    }

    /// Errors: `InvalidParameterValue` for anything but an integer.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        self.get(name).map(|text| text.parse().map_err(|_| self.invalid(name, text))).transpose()
    }

    fn invalid(&self, name: &str, text: &str) -> ApiError {
        let message = format!("Value ({text}) for parameter {}{name} is invalid.", self.prefix);
        ApiError::new("InvalidParameterValue", message)
    }

    /// A list of texts: `Name.1`, `Name.2` or `Name.member.1`.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let mut found: Vec<(u64, &str)> =
            self.below(name).filter_map(|(rest, value)| Some((rest.parse().ok()?, value))).collect();
        found.sort_by_key(|(index, _)| *index);
        found.into_iter().map(|(_, value)| value).collect()
    }

    /// A list of structures: `Name.1.Member` or `Name.member.1.Member`.
    pub fn structs(&self, name: &str) -> Vec<Params> {
        let mut found: BTreeMap<u64, Params> = BTreeMap::new();
        for (rest, value) in self.below(name) {
            let Some((index, member)) = rest.split_once('.') else { continue };
            let Ok(number) = index.parse() else { continue };
            let item = found.entry(number).or_insert_with(|| Params {
                values: BTreeMap::new(),
                prefix: format!("{}{name}.{index}.", self.prefix),
            });
            item.values.insert(member.to_owned(), value.to_owned());
        }
        found.into_values().collect()
    }

    /// One structure: `Name.Member`.
    pub fn structure(&self, name: &str) -> Params {
        let values = self.below(name).map(|(rest, value)| (rest.to_owned(), value.to_owned())).collect();
        Params { values, prefix: format!("{}{name}.", self.prefix) }
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The names of all parameters, in byte order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Names and values below `name.`, a `member.` step removed.
    fn below<'a>(&'a self, name: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let start = format!("{name}.");
        self.values.range(start.clone()..).map_while(move |(key, value)| {
            let rest = key.strip_prefix(start.as_str())?;
            Some((rest.strip_prefix("member.").unwrap_or(rest), value.as_str()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(form: &str) -> Params {
        Params::parse(form.as_bytes()).unwrap()
    }

    #[test]
    fn lists_come_in_the_order_of_their_numbers() {
        let params = parse("Id.10=c&Id.2=b&Id.1=a&IdX.1=no&T.member.1=m");
        assert_eq!(params.list("Id"), ["a", "b", "c"]);
        assert_eq!(params.list("T"), ["m"]);
        assert_eq!(params.list("None"), Vec::<&str>::new());
    }

    #[test]
    fn structures_are_read_at_any_depth() {
        let params =
            parse("F.1.Name=vpc-id&F.1.Value.1=a&F.1.Value.2=b&F.2.Name=x&Tags.member.1.Key=k&O.A=1");
        let filters = params.structs("F");
        assert_eq!(filters.len(), 2);
        assert_eq!(filters[0].get("Name"), Some("vpc-id"));
        assert_eq!(filters[0].list("Value"), ["a", "b"]);
        assert_eq!(params.structs("Tags")[0].get("Key"), Some("k"));
        assert_eq!(params.structure("O").integer("A").unwrap(), Some(1));
    }

    #[test]
    fn faults_name_the_whole_parameter() {
        let params = parse("F.1.Name=&F.1.N=x&B=yes");
        let filter = &params.structs("F")[0];
        assert!(filter.required("Name").unwrap_err().message.contains("F.1.Name"));
        assert!(filter.integer("N").unwrap_err().message.contains("F.1.N"));
        assert_eq!(params.boolean("B").unwrap_err().code, "InvalidParameterValue");
    }
}
