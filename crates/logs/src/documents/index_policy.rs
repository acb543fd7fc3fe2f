//! Field index policies of log groups. They are kept and shown; nothing is
//! faster or slower by them, because every field of a record is a column anyway.

use serde::{Deserialize, Serialize};

use super::{Kind, get, gone, put};
use crate::error::LogsError;
use crate::limits::Constraints;
use crate::store::{Scope, Store};
use weir_types::time::UnixMillis;

/// Most fields of a policy. Source: API reference, PutIndexPolicy.
const MAX_FIELDS: usize = 20;

/// A field index policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexPolicy {
    pub group: String,
    /// Of the group: one that is made again has no policy.
    group_created: i64,
    /// As it was put.
    pub document: String,
    pub fields: Vec<String>,
    /// Milliseconds since 1970.
    pub last_updated: i64,
}

impl Kind for IndexPolicy {
    const KIND: &'static str = "index-policy";

    fn id(&self) -> String {
        self.group.clone()
    }
}

/// The fields that a policy's document names.
fn fields(document: &str) -> Result<Vec<String>, LogsError> {
    #[derive(Deserialize)]
    struct Document {
        #[serde(rename = "Fields", default)]
        fields: Vec<String>,
        #[serde(rename = "FieldsV2", default)]
        fields_v2: serde_json::Map<String, serde_json::Value>,
    }
    let invalid = |why: &str| LogsError::InvalidParameter(format!("Invalid index policy document: {why}"));
    let Document { mut fields, fields_v2 } = serde_json::from_str(document)
        .map_err(|_| invalid("it must be JSON such as {\"Fields\": [\"action\"]}"))?;
    fields.extend(fields_v2.into_iter().map(|(name, _)| name));
    if fields.is_empty() || fields.len() > MAX_FIELDS {
        return Err(invalid("it must name 1 to 20 fields"));
    }
    if fields.iter().any(|field| field.is_empty() || field.chars().count() > 100) {
        return Err(invalid("a field has 1 to 100 characters"));
    }
    Ok(fields)
}

impl Store {
    /// PutIndexPolicy: makes or replaces the group's policy.
    pub fn put_index_policy(
        &self,
        scope: &Scope,
        group: &str,
        document: &str,
        now: UnixMillis,
    ) -> Result<IndexPolicy, LogsError> {
        Constraints::new().length(document, "policyDocument", 1, 51_200).finish()?;
        let policy = IndexPolicy {
            group: group.to_owned(),
            group_created: self.log_group(scope, group)?.creation_time.0,
            document: document.to_owned(),
            fields: fields(document)?,
            last_updated: now.0,
        };
        let (scope, kept) = (scope.clone(), policy.clone());
        self.change(move |state| {
            state.group(&scope, &kept.group)?;
            Ok(vec![put(&scope, &kept)])
        })?;
        Ok(policy)
    }

    /// The group's policy, if it has one. `ResourceNotFound` without the group.
    pub fn index_policy(&self, scope: &Scope, group: &str) -> Result<Option<IndexPolicy>, LogsError> {
        let created = self.log_group(scope, group)?.creation_time.0;
        let policy: Option<IndexPolicy> = get(&self.state(), scope, group);
        Ok(policy.filter(|policy| policy.group_created == created))
    }

    /// DeleteIndexPolicy. `ResourceNotFound` if the group has none.
    pub fn delete_index_policy(&self, scope: &Scope, group: &str) -> Result<(), LogsError> {
        Constraints::new().group_name(group, "logGroupName").finish()?;
        let (scope, group) = (scope.clone(), group.to_owned());
        self.change(move |state| {
            let created = state.group(&scope, &group)?.meta.created;
            let policy = get::<IndexPolicy>(state, &scope, &group);
            if policy.is_none_or(|policy| policy.group_created != created) {
                return Err(LogsError::ResourceNotFound("The specified index policy does not exist."));
            }
            Ok(vec![gone::<IndexPolicy>(&scope, &group)])
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents() {
        for (document, expected) in [
            (r#"{"Fields": ["action", "srcAddr"]}"#, Some(2)),
            (r#"{"FieldsV2": {"action": {"type": "FACET"}}}"#, Some(1)),
            (r#"{"Fields": []}"#, None),
            (r#"{"Fields": [""]}"#, None),
            (r#"{"Fields": "action"}"#, None),
            ("action", None),
        ] {
            assert_eq!(fields(document).ok().map(|fields| fields.len()), expected, "{document}");
        }
        let many: Vec<String> = (0..21).map(|n| n.to_string()).collect();
        assert!(fields(&serde_json::json!({ "Fields": many }).to_string()).is_err());
    }
}
