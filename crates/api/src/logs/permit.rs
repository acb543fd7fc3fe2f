//! Whether the caller may do an action on a group, a stream or a group's tags.
//!
//! Policies see the tags of a group that is there as `aws:ResourceTag/KEY`,
//! also when they are asked about one of its streams. Resource policies of the
//! account and of the group allow and deny beside those of the caller.
//!
//! Source: Service authorization reference, "Amazon CloudWatch Logs".

use super::arn;
use crate::call::Call;
use crate::error::ApiError;
use std::collections::BTreeMap;
use weir_iam::sigv4::errors;
use weir_iam::{DocumentKind, NamedPolicy, PolicyDocument};

/// `action` is the name without the service, here and below.
///
/// Errors of all: `AccessDeniedException`.
pub fn group(call: &Call<'_>, action: &str, group: &str) -> Result<(), ApiError> {
    on(call, action, group, &arn::stream(&call.scope, group, ""), Vec::new())
}

/// An action on every group, or on those that a search finds.
pub fn all_groups(call: &Call<'_>, action: &str) -> Result<(), ApiError> {
    call.authorize(&format!("logs:{action}"), &arn::stream(&call.scope, "", ""), &[])
}

pub fn stream(call: &Call<'_>, action: &str, group: &str, stream: &str) -> Result<(), ApiError> {
    on(call, action, group, &arn::stream(&call.scope, group, stream), Vec::new())
}

/// Creating a group. With tags it takes a second permission.
pub fn create(call: &Call<'_>, group: &str, tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let request = request_tags(tags);
    on(call, "CreateLogGroup", group, &arn::stream(&call.scope, group, ""), request.clone())?;
    if tags.is_empty() {
        return Ok(());
    }
    on(call, "TagResource", group, &arn::group(&call.scope, group), request).map_err(|mut error| {
        if error.code == "AccessDeniedException" {
            // AWS's own words.
            error.message = format!(
                "User with accountId: {} is not authorized to perform CreateLogGroup with Tags. \
                 An additional permission \"logs:TagResource\" is required.",
                call.scope.account
            );
        }
        error
    })
}

/// The actions of the newer family for tags: the resource is the ARN without an end.
pub fn tag_resource(
    call: &Call<'_>,
    action: &str,
    group: &str,
    tags: &BTreeMap<String, String>,
    keys: &[String],
) -> Result<(), ApiError> {
    on(call, action, group, &arn::group(&call.scope, group), tag_context(tags, keys))
}

/// The actions of the older family for tags.
pub fn tag_log_group(
    call: &Call<'_>,
    action: &str,
    group: &str,
    tags: &BTreeMap<String, String>,
    keys: &[String],
) -> Result<(), ApiError> {
    on(call, action, group, &arn::stream(&call.scope, group, ""), tag_context(tags, keys))
}

/// Names and values of context keys.
pub type Keys = Vec<(String, String)>;

/// Tags and keys in a request, as policies see them.
pub fn tag_context(tags: &BTreeMap<String, String>, keys: &[String]) -> Keys {
    let mut context = request_tags(tags);
    context.extend(keys.iter().map(|key| ("aws:TagKeys".to_owned(), key.clone())));
    context
}

fn request_tags(tags: &BTreeMap<String, String>) -> Keys {
    let values = tags.iter().map(|(key, value)| (format!("aws:RequestTag/{key}"), value.clone()));
    values.chain(tags.keys().map(|key| ("aws:TagKeys".to_owned(), key.clone()))).collect()
}

fn on(call: &Call<'_>, action: &str, group: &str, resource: &str, mut keys: Keys) -> Result<(), ApiError> {
    // A group that is not there, or a name that cannot be, has no tags; the
    // store refuses it later.
    if let Ok(found) = call.services.logs.log_group_tags(&arn::store_scope(&call.scope), group) {
        keys.extend(found.into_iter().map(|(key, value)| (format!("aws:ResourceTag/{key}"), value)));
    }
    let context: Vec<(&str, &str)> = keys.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let kept = call
        .services
        .logs
        .resource_policies_of(&arn::store_scope(&call.scope), &arn::group(&call.scope, group));
    // They were checked when they were put; an emulator takes any text.
    let documents: Vec<(String, PolicyDocument)> = kept
        .into_iter()
        .filter_map(|policy| {
            let document = PolicyDocument::parse(&policy.document, DocumentKind::Resource).ok()?;
            Some((policy.name.or(policy.resource_arn).unwrap_or_default(), document))
        })
        .collect();
    let policies = documents.iter().map(|(name, document)| NamedPolicy::new(name, document)).collect();
    match call.decide_on(&format!("logs:{action}"), resource, None, policies, &context)? {
        None => Ok(()),
        Some(message) => Err(errors::access_denied(call.service.error_protocol(), &message).into()),
    }
}
