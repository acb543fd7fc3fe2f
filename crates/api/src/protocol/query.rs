//! The query protocols: `Action=…&Filter.1.Name=…`, read as a tree.
//!
//! EC2 lists are flat (`VpcId.1`), IAM and STS lists have a `member` step
//! (`Tags.member.1.Key`); [`Params::list`] and [`Params::structs`] read both.
//! Indexes may have gaps; items come in index order.

use crate::error::ApiError;
use crate::protocol::xml::is_xml;
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
    /// Reads `a=b&c=d` with form encoding. A name may be repeated with the same value.
    ///
    /// Errors: `MalformedQueryString` for too many parameters, bytes that are not
    /// UTF-8 and characters that no answer could show; `InvalidQueryParameter`
    /// for a name with two values.
    pub fn parse(form: &[u8]) -> Result<Self, ApiError> {
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        let malformed = |message: String| Err(ApiError::new("MalformedQueryString", message));
        for pair in form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            if values.len() >= LIMIT {
                return malformed("The request has too many parameters".into());
            }
            let place = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = (decoded(&pair[..place]), decoded(pair.get(place + 1..).unwrap_or_default()));
            let Some(name) = name.filter(|name| name.chars().all(is_xml)) else {
                return malformed("The name of a parameter is not text in UTF-8".into());
            };
            let Some(value) = value.filter(|value| value.chars().all(is_xml)) else {
                return malformed(format!("The value of the parameter {name} is not text in UTF-8"));
            };
            match values.get(&name) {
                Some(other) if *other != value => {
                    let message = format!("The parameter {name} is given twice, with different values");
                    return Err(ApiError::new("InvalidQueryParameter", message));
                }
                _ => values.insert(name, value),
            };
        }
        Ok(Self { values, prefix: String::new() })
    }

    /// Refuses a list of IAM's and STS's with a place that is not a positive
    /// number: left out, it would silently be a shorter list.
    ///
    /// Errors: `MalformedInput`.
    pub fn check_members(&self) -> Result<(), ApiError> {
        for name in self.names() {
            let mut parts = name.split('.');
            while let Some(part) = parts.next() {
                if part != "member" {
                    continue;
                }
                let place = parts.next().unwrap_or_default();
                let is_place = place.bytes().all(|byte| byte.is_ascii_digit())
                    && place.parse::<u64>().is_ok_and(|place| place > 0);
                if !is_place {
                    let message = format!("Invalid list index '{place}' in the parameter {name}");
                    return Err(ApiError::new("MalformedInput", message));
                }
            }
        }
        Ok(())
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

/// `None` for bytes that are not UTF-8.
fn decoded(text: &[u8]) -> Option<String> {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_encoding::percent_decode(&spaced).decode_utf8().ok().map(|text| text.into_owned())
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
    fn what_is_no_form_is_refused() {
        for (form, expected) in [
            ("a=1&a=1&&=&b", "ok"),
            ("a=%zz&b=%", "ok"),
            ("a=1&a=2", "InvalidQueryParameter: The parameter a is given twice, with different values"),
            ("a=%ff", "MalformedQueryString: The value of the parameter a is not text in UTF-8"),
            ("%c3=1", "MalformedQueryString: The name of a parameter is not text in UTF-8"),
            ("a=%00", "MalformedQueryString: The value of the parameter a is not text in UTF-8"),
            ("a=%1b", "MalformedQueryString: The value of the parameter a is not text in UTF-8"),
            ("a=%0d%0a%09%c3%a9+", "ok"),
            (
                "T.member.1.K=v&T.member.10=w&member=x",
                "MalformedInput: Invalid list index '' in the parameter member",
            ),
            ("T.member.0.K=v", "MalformedInput: Invalid list index '0' in the parameter T.member.0.K"),
            ("T.member.x=v", "MalformedInput: Invalid list index 'x' in the parameter T.member.x"),
            (
                "T.member.1.U.member.-1=v",
                "MalformedInput: Invalid list index '-1' in the parameter T.member.1.U.member.-1",
            ),
            (
                "T.member.99999999999999999999=v",
                "MalformedInput: Invalid list index '99999999999999999999' in the parameter T.member.99999999999999999999",
            ),
        ] {
            let outcome = Params::parse(form.as_bytes()).and_then(|params| params.check_members());
            let told = outcome.map_or_else(|e| format!("{}: {}", e.code, e.message), |()| "ok".to_owned());
            assert_eq!(told, expected, "{form}");
        }
        assert_eq!(parse("a=%0d%0a%c3%a9+x").get("a"), Some("\r\né x"));
        assert_eq!(parse("b&=c").raw("b"), Some(""));
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
