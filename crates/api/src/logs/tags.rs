//! Tags in requests and answers.

use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use weir_logs::limits::{Constraints, MAX_TAGS, at_least, at_most};

/// A member that maps keys to values; an absent one is empty. The store checks
/// keys and values.
pub fn map(members: Members<'_>, name: &str) -> Result<BTreeMap<String, String>, ApiError> {
    let Some(entries) = members.object(name)? else { return Ok(BTreeMap::new()) };
    let text = |(key, value): (&str, &Value)| {
        let value = value.as_str().ok_or_else(|| {
            ApiError::new("SerializationException", format!("The values of {name} must be strings"))
        })?;
        Ok((key.to_owned(), value.to_owned()))
    };
    entries.entries().map(text).collect()
}

/// [`map`], but the member must be there and not be empty.
pub fn required_map(members: Members<'_>, name: &str) -> Result<BTreeMap<String, String>, ApiError> {
    super::required::check(members, &[name])?;
    let tags = map(members, name)?;
    Constraints::new().that(!tags.is_empty(), "{}", name, at_least("length", 1)).finish()?;
    Ok(tags)
}

/// A member that lists keys, `min` to 50 of them.
pub fn required_keys(members: Members<'_>, name: &str, min: usize) -> Result<Vec<String>, ApiError> {
    super::required::check(members, &[name])?;
    let keys = members.texts(name)?.unwrap_or_default();
    let mut constraints = Constraints::new();
    let shown = format!("[{}]", keys.join(", "));
    constraints.that(keys.len() >= min, &shown, name, at_least("length", min));
    constraints.that(keys.len() <= MAX_TAGS, &shown, name, at_most("length", MAX_TAGS));
    for (i, key) in keys.iter().enumerate().take(MAX_TAGS) {
        constraints.length(key, &format!("{name}.{}.member", i + 1), 1, 128);
    }
    constraints.finish()?;
    Ok(keys.into_iter().map(str::to_owned).collect())
}

/// The answer of ListTagsForResource and ListTagsLogGroup.
pub fn render(tags: &BTreeMap<String, String>) -> Value {
    json!({ "tags": tags })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, Value, json};

    fn members(value: &Value) -> Members<'_> {
        let map: &Map<String, Value> = value.as_object().unwrap();
        Members::new(map)
    }

    #[test]
    fn maps() {
        let given = json!({"tags": {"team": "net", "empty": ""}});
        let tags = required_map(members(&given), "tags").unwrap();
        assert_eq!(render(&tags), given);
        assert!(map(members(&json!({"tags": null})), "tags").unwrap().is_empty());
        for (given, code) in [
            (json!({}), "InvalidParameterException"),
            (json!({"tags": {}}), "InvalidParameterException"),
            (json!({"tags": {"k": 1}}), "SerializationException"),
            (json!({"tags": []}), "SerializationException"),
        ] {
            assert_eq!(required_map(members(&given), "tags").unwrap_err().code, code, "{given}");
        }
    }

    #[test]
    fn keys() {
        assert_eq!(required_keys(members(&json!({"k": ["a", "b"]})), "k", 0).unwrap(), ["a", "b"]);
        assert!(required_keys(members(&json!({"k": []})), "k", 0).unwrap().is_empty());
        let many: Vec<String> = (0..51).map(|n| n.to_string()).collect();
        for given in [json!({}), json!({"k": []}), json!({"k": [""]}), json!({ "k": many })] {
            let error = required_keys(members(&given), "k", 1).unwrap_err();
            assert_eq!(error.code, "InvalidParameterException", "{given}");
        }
    }
}
