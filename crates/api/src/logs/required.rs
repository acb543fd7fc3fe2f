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
