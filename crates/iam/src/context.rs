//! The request context: condition keys and their values.
//!
//! Keys compare without case (`aws:SourceIp` is `aws:sourceip`), tag keys inside
//! them included. A key is single-valued or multi-valued by its nature, which
//! matters: only single-valued keys can stand in policy variables.
//!
//! Source: IAM user guide, "AWS global condition context keys".

use crate::principal::Principal;
use std::collections::BTreeMap;
use time::OffsetDateTime;
use weir_types::time::UnixMillis;

/// The value of a condition key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextValue {
    /// Of a single-valued key, such as `aws:SourceIp`.
    One(String),
    /// Of a multi-valued key, such as `aws:TagKeys`; may be empty.
    Many(Vec<String>),
}

impl ContextValue {
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

/// Condition keys of one request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context(BTreeMap<String, (String, ContextValue)>);

impl Context {
    /// Gives a single-valued key its value.
    pub fn set(&mut self, key: &str, value: impl Into<String>) -> &mut Self {
        self.0.insert(key.to_ascii_lowercase(), (key.to_owned(), ContextValue::One(value.into())));
        self
    }

    /// Gives a multi-valued key its values.
    pub fn set_many<T: Into<String>>(&mut self, key: &str, values: impl IntoIterator<Item = T>) -> &mut Self {
        let values = values.into_iter().map(Into::into).collect();
        self.0.insert(key.to_ascii_lowercase(), (key.to_owned(), ContextValue::Many(values)));
        self
    }

    /// None when the request does not have the key.
    pub fn get(&self, key: &str) -> Option<&ContextValue> {
        self.0.get(&key.to_ascii_lowercase()).map(|(_, value)| value)
    }

    /// Every key as it was set, with its value, in the order of keys.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &ContextValue)> {
        self.0.values().map(|(key, value)| (key.as_str(), value))
    }

    /// The value of a single-valued key.
    pub fn single(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            ContextValue::One(value) => Some(value),
            ContextValue::Many(_) => None,
        }
    }

    /// Sets the keys that follow from the caller: `aws:PrincipalArn` (of a
    /// session: the role's), `aws:PrincipalAccount`, `aws:PrincipalType`,
    /// `aws:userid`, `aws:username` (users only), and for services
    /// `aws:PrincipalIsAWSService` and `aws:PrincipalServiceName`.
    pub fn set_principal(&mut self, principal: &Principal) -> &mut Self {
        if let Some(arn) = principal.principal_arn() {
            self.set("aws:PrincipalArn", arn);
        }
        if let Some(account) = principal.account() {
            self.set("aws:PrincipalAccount", account);
        }
        if let Some(kind) = principal.principal_type() {
            self.set("aws:PrincipalType", kind);
        }
        if let Some(id) = principal.user_id() {
            self.set("aws:userid", id);
        }
        if let Some(name) = principal.user_name() {
            self.set("aws:username", name);
        }
        let is_service = matches!(principal, Principal::Service { .. });
        self.set("aws:PrincipalIsAWSService", if is_service { "true" } else { "false" });
        if let Principal::Service { name } = principal {
            self.set("aws:PrincipalServiceName", name.clone());
        }
        self
    }

    /// Sets `aws:CurrentTime` and `aws:EpochTime`.
    pub fn set_time(&mut self, now: UnixMillis) -> &mut Self {
        let seconds = now.seconds();
        if let Ok(date) = OffsetDateTime::from_unix_timestamp(seconds) {
            let text = format!(
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                date.year(),
                u8::from(date.month()),
                date.day(),
                date.hour(),
                date.minute(),
                date.second()
            );
            self.set("aws:CurrentTime", text);
        }
        self.set("aws:EpochTime", seconds.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ignore_case_and_the_last_value_counts() {
        let mut context = Context::default();
        context.set("aws:SourceIp", "192.0.2.1").set("AWS:sourceip", "192.0.2.2");
        assert_eq!(context.single("aws:SOURCEIP"), Some("192.0.2.2"));
        assert_eq!(context.get("aws:SourceVpc"), None);
    }

    #[test]
    fn time_has_both_keys() {
        let mut context = Context::default();
        context.set_time(UnixMillis(1_620_122_400_999));
        assert_eq!(context.single("aws:CurrentTime"), Some("2021-05-04T10:00:00Z"));
        assert_eq!(context.single("aws:EpochTime"), Some("1620122400"));
    }

    #[test]
    fn a_session_has_its_roles_arn_and_no_user_name() {
        let mut context = Context::default();
        let role = "arn:aws:iam::123456789012:role/path/flow".parse().unwrap();
        context.set_principal(&Principal::assumed_role(role, "AROAEXAMPLE", "s1"));
        for (key, expected) in [
            ("aws:PrincipalArn", Some("arn:aws:iam::123456789012:role/path/flow")),
            ("aws:PrincipalAccount", Some("123456789012")),
            ("aws:PrincipalType", Some("AssumedRole")),
            ("aws:userid", Some("AROAEXAMPLE:s1")),
            ("aws:username", None),
            ("aws:PrincipalIsAWSService", Some("false")),
        ] {
            assert_eq!(context.single(key), expected, "{key}");
        }
    }
}
