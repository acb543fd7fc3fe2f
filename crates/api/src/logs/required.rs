//! Members that must be there.

use crate::error::ApiError;
use crate::protocol::json::Members;
use weir_logs::limits::Constraints;

/// Errors: `InvalidParameterException` that names every one of `names` that is
/// absent, in the order given.
pub fn check(members: Members<'_>, names: &[&str]) -> Result<(), ApiError> {
    let mut constraints = Constraints::new();
    for name in names {
        if !members.entries().any(|(known, value)| known == *name && !value.is_null()) {
            constraints.missing(name);
        }
    }
    Ok(constraints.finish()?)
}

/// Members that must be there and be texts.
pub fn texts<'a, const N: usize>(members: Members<'a>, names: [&str; N]) -> Result<[&'a str; N], ApiError> {
    check(members, &names)?;
    let mut texts = [""; N];
    for (text, name) in texts.iter_mut().zip(names) {
        *text = members.text(name)?.unwrap_or_default();
    }
    Ok(texts)
}

/// The group's name, the only member that many actions must have.
pub fn group_name<'a>(members: Members<'a>) -> Result<&'a str, ApiError> {
    texts(members, ["logGroupName"]).map(|[name]| name)
}

/// A member that must be there and be a boolean.
pub fn boolean(members: Members<'_>, name: &str) -> Result<bool, ApiError> {
    check(members, &[name])?;
    Ok(members.boolean(name)?.unwrap_or_default())
}

/// A list of objects; empty if it is absent.
pub fn objects<'a>(members: Members<'a>, name: &str) -> Result<Vec<Members<'a>>, ApiError> {
    let object = |value: &'a serde_json::Value| {
        let wrong = || {
            ApiError::new("SerializationException", format!("The member {name} must be a list of objects"))
        };
        value.as_object().map(Members::new).ok_or_else(wrong)
    };
    members.list(name)?.unwrap_or_default().iter().map(object).collect()
}

/// A number with a fraction.
pub fn number(members: Members<'_>, name: &str) -> Result<Option<f64>, ApiError> {
    let value = members.entries().find(|(known, value)| *known == name && !value.is_null());
    let wrong = || ApiError::new("SerializationException", format!("The member {name} must be a number"));
    value.map(|(_, value)| value.as_f64().ok_or_else(wrong)).transpose()
}
