//! What IAM's and STS's requests have in common.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use weir_control::principal::identity::{self, IamIdentity};
use weir_control::principal::{Role, User, iam_tag, instance_profile, managed_policy, validate};
use weir_iam::Principal;

/// All but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A parameter that must be there.
///
/// Errors: `ValidationError`.
pub fn required<'a>(params: &'a Params, name: &str) -> Result<&'a str, ApiError> {
    params.get(name).ok_or_else(|| {
        let member = member(name);
        let message = format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        );
        ApiError::new("ValidationError", message)
    })
}

/// A parameter that is one of `values`, if it is there.
///
/// Errors: `ValidationError`.
pub fn one_of<'a>(params: &'a Params, name: &str, values: &[&str]) -> Result<Option<&'a str>, ApiError> {
    let Some(value) = params.get(name) else { return Ok(None) };
    if values.contains(&value) {
        return Ok(Some(value));
    }
    let (member, set) = (member(name), values.join(", "));
    let message = format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy enum value set: [{set}]"
    );
    Err(ApiError::new("ValidationError", message))
}

/// `RoleName` as faults spell it: `roleName`.
fn member(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// `Tags.member.N`
pub fn tags(params: &Params) -> Result<Vec<(String, String)>, ApiError> {
    let read = |tag: &Params| {
        let value = tag.raw("Value").unwrap_or_default().to_owned();
        Ok((required(tag, "Key")?.to_owned(), value))
    };
    let tags = params.structs("Tags");
    at_most_50("tags", tags.len())?;
    tags.iter().map(read).collect()
}

/// `TagKeys.member.N`
pub fn tag_keys(params: &Params) -> Result<Vec<&str>, ApiError> {
    let keys = params.list("TagKeys");
    at_most_50("tagKeys", keys.len())?;
    validate::tag_keys(&keys)?;
    Ok(keys)
}

/// A list of tags or of their keys in one request.
///
/// Errors: `ValidationError`.
pub fn at_most_50(member: &str, count: usize) -> Result<(), ApiError> {
    if count <= 50 {
        return Ok(());
    }
    let message = format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length less than or equal to 50."
    );
    Err(ApiError::new("ValidationError", message))
}

/// A policy document as answers have it.
pub fn encoded(document: &str) -> String {
    utf8_percent_encode(document, ENCODED).to_string()
}

/// The caller may do `action` on the user, group or role of this name. Its tags
/// are `aws:ResourceTag/K`, its boundary `iam:PermissionsBoundary`; one that is
/// not there is asked for by its name alone.
pub fn authorize<T: IamIdentity>(
    call: &Call<'_>,
    action: &str,
    name: &str,
    context: &[(&str, &str)],
) -> Result<(), ApiError> {
    let found = call.transact(|cx| match identity::find::<T>(cx.tx, &cx.scope.global(), name)? {
        Some(one) => {
            let tags = iam_tag::of(cx, one.id())?;
            Ok(Some((one.identity().arn.to_string(), tags, one.identity().boundary.clone())))
        }
        None => Ok(None),
    })?;
    let (arn, tags, boundary) =
        found.unwrap_or_else(|| (identity::arn::<T>(&call.scope, "/", name).to_string(), Vec::new(), None));
    let is_given = context.iter().any(|(key, _)| *key == "iam:PermissionsBoundary");
    let boundary = boundary.filter(|_| !is_given);
    let mut keys: Vec<(&str, &str)> = context.to_vec();
    keys.extend(boundary.as_deref().map(|arn| ("iam:PermissionsBoundary", arn)));
    authorize_tagged(call, action, &arn, &tags, &keys)
}

/// [`authorize`] on a managed policy.
pub fn authorize_policy(
    call: &Call<'_>,
    action: &str,
    policy_arn: &str,
    context: &[(&str, &str)],
) -> Result<(), ApiError> {
    let tags = call.transact(|cx| match managed_policy::find(cx.tx, cx.scope, policy_arn)? {
        Some(policy) if !policy.is_aws() => iam_tag::of(cx, &policy.id),
        _ => Ok(Vec::new()),
    })?;
    authorize_tagged(call, action, policy_arn, &tags, context)
}

/// [`authorize`] on an instance profile.
pub fn authorize_profile(
    call: &Call<'_>,
    action: &str,
    name: &str,
    context: &[(&str, &str)],
) -> Result<(), ApiError> {
    let found = call.transact(|cx| match instance_profile::find(cx, name)? {
        Some(profile) => Ok(Some((profile.arn.to_string(), iam_tag::of(cx, &profile.id)?))),
        None => Ok(None),
    })?;
    let (arn, tags) =
        found.unwrap_or_else(|| (instance_profile::arn(&call.scope, "/", name).to_string(), Vec::new()));
    authorize_tagged(call, action, &arn, &tags, context)
}

fn authorize_tagged(
    call: &Call<'_>,
    action: &str,
    arn: &str,
    tags: &[(String, String)],
    context: &[(&str, &str)],
) -> Result<(), ApiError> {
    let mut own = resource_tags("aws:ResourceTag", tags);
    own.extend(resource_tags("iam:ResourceTag", tags));
    let mut keys = lent(&own);
    keys.extend_from_slice(context);
    call.authorize(action, arn, &keys)
}

/// The caller may attach or detach this managed policy.
pub fn authorize_attachment<T: IamIdentity>(
    call: &Call<'_>,
    action: &str,
    name: &str,
    policy_arn: &str,
) -> Result<(), ApiError> {
    authorize::<T>(call, action, name, &[("iam:PolicyARN", policy_arn)])
}

/// The name of the user that a request is about: the one it names, or the caller.
///
/// Errors: `ValidationError` for a caller that is no user.
pub fn user_or_caller(call: &Call<'_>, params: &Params) -> Result<String, ApiError> {
    if let Some(name) = params.get("UserName") {
        return Ok(name.to_owned());
    }
    match &call.principal {
        Principal::User { user_id, .. } => {
            let user: Option<User> = call.transact(|cx| cx.tx.get(&cx.scope.global(), user_id))?;
            user.map(|user| user.identity.name)
                .ok_or_else(|| ApiError::internal("a user without a record calls"))
        }
        _ => {
            let message = "Must specify userName when calling with non-User credentials";
            Err(ApiError::new("ValidationError", message))
        }
    }
}

/// `aws:RequestTag/K` and `aws:TagKeys` of tags that a request brings.
pub fn request_tag_keys(tags: &[(String, String)]) -> Vec<(String, String)> {
    let mut keys = resource_tags("aws:RequestTag", tags);
    keys.extend(tags.iter().map(|(key, _)| ("aws:TagKeys".to_owned(), key.clone())));
    keys
}

/// Context keys as [`Call::authorize`] takes them.
pub fn lent(keys: &[(String, String)]) -> Vec<(&str, &str)> {
    keys.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

fn resource_tags(kind: &str, tags: &[(String, String)]) -> Vec<(String, String)> {
    tags.iter().map(|(key, value)| (format!("{kind}/{key}"), value.clone())).collect()
}

/// The permissions boundary and the tags that a new user or role is asked for
/// with, as context keys.
pub fn creation_keys(boundary: Option<&str>, tags: &[(String, String)]) -> Vec<(String, String)> {
    let mut keys = request_tag_keys(tags);
    keys.extend(boundary.map(|arn| ("iam:PermissionsBoundary".to_owned(), arn.to_owned())));
    keys
}

/// [`authorize`] on a role.
pub fn authorize_role(
    call: &Call<'_>,
    action: &str,
    name: &str,
    context: &[(&str, &str)],
) -> Result<(), ApiError> {
    authorize::<Role>(call, action, name, context)
}

/// The ARN of the role of this name.
///
/// Errors: `NoSuchEntity`.
pub fn role_arn(call: &Call<'_>, name: &str) -> Result<String, ApiError> {
    let role: Role = call.transact(|cx| identity::get(cx, name))?;
    Ok(role.identity.arn.to_string())
}
